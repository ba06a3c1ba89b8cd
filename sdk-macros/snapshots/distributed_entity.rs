#[allow(dead_code, private_interfaces, missing_docs, unreachable_pub)]
impl Transaction {
    ///The column `festival_id`.
    pub(crate) const FESTIVAL_ID: ::shardwise::entity::Column<Self, Uuid> = ::shardwise::entity::Column::new(
        "festival_id",
        <Uuid as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `id`.
    pub(crate) const ID: ::shardwise::entity::Column<Self, Uuid> = ::shardwise::entity::Column::new(
        "id",
        <Uuid as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `wallet_id`.
    pub(crate) const WALLET_ID: ::shardwise::entity::Column<Self, Uuid> = ::shardwise::entity::Column::new(
        "wallet_id",
        <Uuid as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `cashier_id`.
    pub(crate) const CASHIER_ID: ::shardwise::entity::Column<Self, Option<Uuid>> = ::shardwise::entity::Column::new(
        "cashier_id",
        <Option<Uuid> as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `amount`.
    pub(crate) const AMOUNT: ::shardwise::entity::Column<Self, i64> = ::shardwise::entity::Column::new(
        "amount",
        <i64 as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `state`.
    pub(crate) const STATE: ::shardwise::entity::Column<Self, State> = ::shardwise::entity::Column::new(
        "state",
        <State as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `receipt`.
    pub(crate) const RECEIPT_NUMBER: ::shardwise::entity::Column<Self, i32> = ::shardwise::entity::Column::new(
        "receipt",
        <i32 as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `note`.
    pub(crate) const NOTE: ::shardwise::entity::Column<Self, Option<String>> = ::shardwise::entity::Column::new(
        "note",
        ::shardwise::__concat!(
            "::", < Option < String > as ::shardwise::entity::ColumnType > ::DDL, "::",
            "varchar"
        ),
    );
    ///The column `items`.
    pub(crate) const ITEMS: ::shardwise::entity::Column<
        Self,
        ::shardwise::entity::Json<Vec<Item>>,
    > = ::shardwise::entity::Column::new(
        "items",
        <::shardwise::entity::Json<()> as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `device`.
    pub(crate) const DEVICE: ::shardwise::entity::Column<
        Self,
        ::core::option::Option<::shardwise::entity::Json<Device>>,
    > = ::shardwise::entity::Column::new(
        "device",
        <::core::option::Option<
            ::shardwise::entity::Json<()>,
        > as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `serial`.
    pub(crate) const SERIAL: ::shardwise::entity::Column<Self, i64> = ::shardwise::entity::Column::new(
        "serial",
        <i64 as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `is_refund`.
    pub(crate) const IS_REFUND: ::shardwise::entity::Column<Self, bool> = ::shardwise::entity::Column::new(
        "is_refund",
        <bool as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `created_at`.
    pub(crate) const CREATED_AT: ::shardwise::entity::Column<Self, Timestamp> = ::shardwise::entity::Column::new(
        "created_at",
        <Timestamp as ::shardwise::entity::ColumnType>::BIND,
    );
}
const _: () = {
    const BIND_0: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::BIND;
    const READ_0: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::READ;
    const BIND_1: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::BIND;
    const READ_1: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::READ;
    const BIND_2: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::BIND;
    const READ_2: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::READ;
    const BIND_3: &::core::primitive::str = <Option<
        Uuid,
    > as ::shardwise::entity::ColumnType>::BIND;
    const READ_3: &::core::primitive::str = <Option<
        Uuid,
    > as ::shardwise::entity::ColumnType>::READ;
    const BIND_4: &::core::primitive::str = <i64 as ::shardwise::entity::ColumnType>::BIND;
    const READ_4: &::core::primitive::str = <i64 as ::shardwise::entity::ColumnType>::READ;
    const BIND_5: &::core::primitive::str = <State as ::shardwise::entity::ColumnType>::BIND;
    const READ_5: &::core::primitive::str = <State as ::shardwise::entity::ColumnType>::READ;
    const BIND_6: &::core::primitive::str = <i32 as ::shardwise::entity::ColumnType>::BIND;
    const READ_6: &::core::primitive::str = <i32 as ::shardwise::entity::ColumnType>::READ;
    const BIND_7: &::core::primitive::str = ::shardwise::__concat!(
        "::", < Option < String > as ::shardwise::entity::ColumnType > ::DDL, "::",
        "varchar"
    );
    const READ_7: &::core::primitive::str = ::shardwise::__concat!(
        "::", < Option < String > as ::shardwise::entity::ColumnType > ::DDL
    );
    const BIND_8: &::core::primitive::str = <::shardwise::entity::Json<
        (),
    > as ::shardwise::entity::ColumnType>::BIND;
    const READ_8: &::core::primitive::str = <::shardwise::entity::Json<
        (),
    > as ::shardwise::entity::ColumnType>::READ;
    const BIND_9: &::core::primitive::str = <::core::option::Option<
        ::shardwise::entity::Json<()>,
    > as ::shardwise::entity::ColumnType>::BIND;
    const READ_9: &::core::primitive::str = <::core::option::Option<
        ::shardwise::entity::Json<()>,
    > as ::shardwise::entity::ColumnType>::READ;
    const BIND_10: &::core::primitive::str = <i64 as ::shardwise::entity::ColumnType>::BIND;
    const READ_10: &::core::primitive::str = <i64 as ::shardwise::entity::ColumnType>::READ;
    const BIND_11: &::core::primitive::str = <bool as ::shardwise::entity::ColumnType>::BIND;
    const READ_11: &::core::primitive::str = <bool as ::shardwise::entity::ColumnType>::READ;
    const BIND_12: &::core::primitive::str = <Timestamp as ::shardwise::entity::ColumnType>::BIND;
    const READ_12: &::core::primitive::str = <Timestamp as ::shardwise::entity::ColumnType>::READ;
    static COLUMNS: [::shardwise::schema::ColumnDef; 13usize] = [
        ::shardwise::schema::ColumnDef {
            field: "festival_id",
            name: "festival_id",
            sql_type: <Uuid as ::shardwise::entity::ColumnType>::DDL,
            wire: <Uuid as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_0,
            read: READ_0,
            nullable: <Uuid as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Uuid as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "id",
            name: "id",
            sql_type: <Uuid as ::shardwise::entity::ColumnType>::DDL,
            wire: <Uuid as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_1,
            read: READ_1,
            nullable: <Uuid as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::Some("gen_random_uuid()"),
            generated: ::core::option::Option::None,
            enumeration: <Uuid as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "wallet_id",
            name: "wallet_id",
            sql_type: <Uuid as ::shardwise::entity::ColumnType>::DDL,
            wire: <Uuid as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_2,
            read: READ_2,
            nullable: <Uuid as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Uuid as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "cashier_id",
            name: "cashier_id",
            sql_type: <Option<Uuid> as ::shardwise::entity::ColumnType>::DDL,
            wire: <Option<Uuid> as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_3,
            read: READ_3,
            nullable: <Option<Uuid> as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Option<Uuid> as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "amount",
            name: "amount",
            sql_type: <i64 as ::shardwise::entity::ColumnType>::DDL,
            wire: <i64 as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_4,
            read: READ_4,
            nullable: <i64 as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <i64 as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "state",
            name: "state",
            sql_type: <State as ::shardwise::entity::ColumnType>::DDL,
            wire: <State as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_5,
            read: READ_5,
            nullable: <State as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <State as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "receipt_number",
            name: "receipt",
            sql_type: <i32 as ::shardwise::entity::ColumnType>::DDL,
            wire: <i32 as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_6,
            read: READ_6,
            nullable: <i32 as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <i32 as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "note",
            name: "note",
            sql_type: "varchar(20)",
            wire: <Option<String> as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_7,
            read: READ_7,
            nullable: <Option<String> as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Option<
                String,
            > as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "items",
            name: "items",
            sql_type: <::shardwise::entity::Json<
                (),
            > as ::shardwise::entity::ColumnType>::DDL,
            wire: <::shardwise::entity::Json<
                (),
            > as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_8,
            read: READ_8,
            nullable: <::shardwise::entity::Json<
                (),
            > as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <::shardwise::entity::Json<
                (),
            > as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "device",
            name: "device",
            sql_type: <::core::option::Option<
                ::shardwise::entity::Json<()>,
            > as ::shardwise::entity::ColumnType>::DDL,
            wire: <::core::option::Option<
                ::shardwise::entity::Json<()>,
            > as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_9,
            read: READ_9,
            nullable: <::core::option::Option<
                ::shardwise::entity::Json<()>,
            > as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <::core::option::Option<
                ::shardwise::entity::Json<()>,
            > as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "serial",
            name: "serial",
            sql_type: <i64 as ::shardwise::entity::ColumnType>::DDL,
            wire: <i64 as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_10,
            read: READ_10,
            nullable: <i64 as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::Some(
                ::shardwise::schema::Generated::Identity,
            ),
            enumeration: <i64 as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "is_refund",
            name: "is_refund",
            sql_type: <bool as ::shardwise::entity::ColumnType>::DDL,
            wire: <bool as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_11,
            read: READ_11,
            nullable: <bool as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::Some(
                ::shardwise::schema::Generated::Stored("amount < 0"),
            ),
            enumeration: <bool as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "created_at",
            name: "created_at",
            sql_type: <Timestamp as ::shardwise::entity::ColumnType>::DDL,
            wire: <Timestamp as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_12,
            read: READ_12,
            nullable: <Timestamp as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Timestamp as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
    ];
    static TABLE: ::shardwise::schema::Table = ::shardwise::schema::Table {
        entity: "Transaction",
        schema: ::core::option::Option::Some("pay"),
        name: "transactions",
        kind: ::shardwise::schema::Kind::Distributed {
            column: "festival_id",
            colocated_with: ::shardwise::schema::Colocation::With(
                <Wallet as ::shardwise::entity::Entity>::table,
            ),
        },
        columns: &COLUMNS,
        key: &["id"],
        primary_key: &["festival_id", "id", "created_at"],
        uniques: &[
            ::shardwise::schema::Unique {
                name: ::core::option::Option::Some("transactions_receipt"),
                columns: &["festival_id", "state", "receipt", "created_at"],
            },
        ],
        indexes: &[
            ::shardwise::schema::Index {
                name: ::core::option::Option::None,
                columns: &[
                    ::shardwise::schema::IndexColumn {
                        name: "festival_id",
                        descending: false,
                    },
                    ::shardwise::schema::IndexColumn {
                        name: "wallet_id",
                        descending: false,
                    },
                ],
                predicate: ::core::option::Option::None,
            },
            ::shardwise::schema::Index {
                name: ::core::option::Option::Some("transactions_state"),
                columns: &[
                    ::shardwise::schema::IndexColumn {
                        name: "festival_id",
                        descending: false,
                    },
                    ::shardwise::schema::IndexColumn {
                        name: "state",
                        descending: true,
                    },
                    ::shardwise::schema::IndexColumn {
                        name: "receipt",
                        descending: false,
                    },
                ],
                predicate: ::core::option::Option::Some("state <> 'done'"),
            },
        ],
        foreign_keys: &[
            ::shardwise::schema::ForeignKey {
                column: "wallet_id",
                target: <Wallet as ::shardwise::entity::Entity>::table,
                on_delete: ::shardwise::schema::OnDelete::Cascade,
            },
            ::shardwise::schema::ForeignKey {
                column: "cashier_id",
                target: <User as ::shardwise::entity::Entity>::table,
                on_delete: ::shardwise::schema::OnDelete::SetNull,
            },
        ],
        checks: &[
            ::shardwise::schema::Check {
                column: "amount",
                expression: "amount <> 0",
            },
        ],
        partition: ::core::option::Option::Some(::shardwise::schema::Partition {
            column: "created_at",
            interval: ::shardwise::schema::Interval::Monthly,
        }),
    };
    const SQL_GET: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT ", "\"festival_id\"", READ_0, ", \"id\"", READ_1, ", \"wallet_id\"",
        READ_2, ", \"cashier_id\"", READ_3, ", \"amount\"", READ_4, ", \"state\"",
        READ_5, ", \"receipt\"", READ_6, ", \"note\"", READ_7, ", \"items\"", READ_8,
        ", \"device\"", READ_9, ", \"serial\"", READ_10, ", \"is_refund\"", READ_11,
        ", \"created_at\"", READ_12, " FROM \"pay\".\"transactions\"", " WHERE ",
        "\"festival_id\" = ", "$1", BIND_0, " AND \"id\" = ", "$2", BIND_1,
    );
    static PARAMS_GET: [::shardwise::__private::Type; 2usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_GET_MANY: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT ", "\"festival_id\"", READ_0, ", \"id\"", READ_1, ", \"wallet_id\"",
        READ_2, ", \"cashier_id\"", READ_3, ", \"amount\"", READ_4, ", \"state\"",
        READ_5, ", \"receipt\"", READ_6, ", \"note\"", READ_7, ", \"items\"", READ_8,
        ", \"device\"", READ_9, ", \"serial\"", READ_10, ", \"is_refund\"", READ_11,
        ", \"created_at\"", READ_12, " FROM \"pay\".\"transactions\"", " WHERE ",
        "\"festival_id\" = ", "$1", BIND_0, " AND \"id\" = ANY($2", < Uuid as
        ::shardwise::entity::Element > ::ARRAY_BIND, ")"
    );
    static PARAMS_GET_MANY: [::shardwise::__private::Type; 2usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::Element>::ARRAY_WIRE,
    ];
    const SQL_EXISTS: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT EXISTS (SELECT", " FROM \"pay\".\"transactions\"", " WHERE ",
        "\"festival_id\" = ", "$1", BIND_0, " AND \"id\" = ", "$2", BIND_1, ")"
    );
    static PARAMS_EXISTS: [::shardwise::__private::Type; 2usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_DELETE: &::core::primitive::str = ::shardwise::__concat!(
        "DELETE", " FROM \"pay\".\"transactions\"", " WHERE ", "\"festival_id\" = ",
        "$1", BIND_0, " AND \"id\" = ", "$2", BIND_1,
    );
    static PARAMS_DELETE: [::shardwise::__private::Type; 2usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_COUNT: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT count(*)", " FROM \"pay\".\"transactions\"", " WHERE ",
        "\"festival_id\" = ", "$1", BIND_0,
    );
    static PARAMS_COUNT: [::shardwise::__private::Type; 1usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_INSERT: &::core::primitive::str = ::shardwise::__concat!(
        "INSERT INTO \"pay\".\"transactions\" (\"festival_id\", \"id\", \"wallet_id\", \"cashier_id\", \"amount\", \"state\", \"receipt\", \"note\", \"items\", \"device\", \"created_at\") VALUES (",
        "", "$1", BIND_0, ", ", "$2", BIND_1, ", ", "$3", BIND_2, ", ", "$4", BIND_3,
        ", ", "$5", BIND_4, ", ", "$6", BIND_5, ", ", "$7", BIND_6, ", ", "$8", BIND_7,
        ", ", "$9", BIND_8, ", ", "$10", BIND_9, ", ", "$11", BIND_12, ")",
    );
    static PARAMS_INSERT: [::shardwise::__private::Type; 11usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Option<Uuid> as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::ColumnType>::WIRE,
        <State as ::shardwise::entity::ColumnType>::WIRE,
        <i32 as ::shardwise::entity::ColumnType>::WIRE,
        <Option<String> as ::shardwise::entity::ColumnType>::WIRE,
        <::shardwise::entity::Json<()> as ::shardwise::entity::ColumnType>::WIRE,
        <::core::option::Option<
            ::shardwise::entity::Json<()>,
        > as ::shardwise::entity::ColumnType>::WIRE,
        <Timestamp as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_INSERT_RETURNING: &::core::primitive::str = ::shardwise::__concat!(
        "INSERT INTO \"pay\".\"transactions\" (\"festival_id\", \"id\", \"wallet_id\", \"cashier_id\", \"amount\", \"state\", \"receipt\", \"note\", \"items\", \"device\", \"created_at\") VALUES (",
        "", "$1", BIND_0, ", ", "$2", BIND_1, ", ", "$3", BIND_2, ", ", "$4", BIND_3,
        ", ", "$5", BIND_4, ", ", "$6", BIND_5, ", ", "$7", BIND_6, ", ", "$8", BIND_7,
        ", ", "$9", BIND_8, ", ", "$10", BIND_9, ", ", "$11", BIND_12, ")",
        " RETURNING ", "\"festival_id\"", READ_0, ", \"id\"", READ_1, ", \"wallet_id\"",
        READ_2, ", \"cashier_id\"", READ_3, ", \"amount\"", READ_4, ", \"state\"",
        READ_5, ", \"receipt\"", READ_6, ", \"note\"", READ_7, ", \"items\"", READ_8,
        ", \"device\"", READ_9, ", \"serial\"", READ_10, ", \"is_refund\"", READ_11,
        ", \"created_at\"", READ_12,
    );
    static PARAMS_INSERT_RETURNING: [::shardwise::__private::Type; 11usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Option<Uuid> as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::ColumnType>::WIRE,
        <State as ::shardwise::entity::ColumnType>::WIRE,
        <i32 as ::shardwise::entity::ColumnType>::WIRE,
        <Option<String> as ::shardwise::entity::ColumnType>::WIRE,
        <::shardwise::entity::Json<()> as ::shardwise::entity::ColumnType>::WIRE,
        <::core::option::Option<
            ::shardwise::entity::Json<()>,
        > as ::shardwise::entity::ColumnType>::WIRE,
        <Timestamp as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_UPSERT: &::core::primitive::str = ::shardwise::__concat!(
        "INSERT INTO \"pay\".\"transactions\" (\"festival_id\", \"id\", \"wallet_id\", \"cashier_id\", \"amount\", \"state\", \"receipt\", \"note\", \"items\", \"device\", \"created_at\") VALUES (",
        "", "$1", BIND_0, ", ", "$2", BIND_1, ", ", "$3", BIND_2, ", ", "$4", BIND_3,
        ", ", "$5", BIND_4, ", ", "$6", BIND_5, ", ", "$7", BIND_6, ", ", "$8", BIND_7,
        ", ", "$9", BIND_8, ", ", "$10", BIND_9, ", ", "$11", BIND_12, ")",
        " ON CONFLICT (\"festival_id\", \"id\", \"created_at\") DO UPDATE SET \"wallet_id\" = EXCLUDED.\"wallet_id\", \"cashier_id\" = EXCLUDED.\"cashier_id\", \"amount\" = EXCLUDED.\"amount\", \"state\" = EXCLUDED.\"state\", \"receipt\" = EXCLUDED.\"receipt\", \"note\" = EXCLUDED.\"note\", \"items\" = EXCLUDED.\"items\", \"device\" = EXCLUDED.\"device\"",
    );
    static PARAMS_UPSERT: [::shardwise::__private::Type; 11usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Option<Uuid> as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::ColumnType>::WIRE,
        <State as ::shardwise::entity::ColumnType>::WIRE,
        <i32 as ::shardwise::entity::ColumnType>::WIRE,
        <Option<String> as ::shardwise::entity::ColumnType>::WIRE,
        <::shardwise::entity::Json<()> as ::shardwise::entity::ColumnType>::WIRE,
        <::core::option::Option<
            ::shardwise::entity::Json<()>,
        > as ::shardwise::entity::ColumnType>::WIRE,
        <Timestamp as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_UPDATE: &::core::primitive::str = ::shardwise::__concat!(
        "UPDATE \"pay\".\"transactions\" SET ", "\"wallet_id\" = ", "$4", BIND_2,
        ", \"cashier_id\" = ", "$5", BIND_3, ", \"amount\" = ", "$6", BIND_4,
        ", \"state\" = ", "$7", BIND_5, ", \"receipt\" = ", "$8", BIND_6,
        ", \"note\" = ", "$9", BIND_7, ", \"items\" = ", "$10", BIND_8,
        ", \"device\" = ", "$11", BIND_9, " WHERE ", "\"festival_id\" = ", "$1", BIND_0,
        " AND \"id\" = ", "$2", BIND_1, " AND \"created_at\" = ", "$3", BIND_12,
    );
    static PARAMS_UPDATE: [::shardwise::__private::Type; 11usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Timestamp as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Option<Uuid> as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::ColumnType>::WIRE,
        <State as ::shardwise::entity::ColumnType>::WIRE,
        <i32 as ::shardwise::entity::ColumnType>::WIRE,
        <Option<String> as ::shardwise::entity::ColumnType>::WIRE,
        <::shardwise::entity::Json<()> as ::shardwise::entity::ColumnType>::WIRE,
        <::core::option::Option<
            ::shardwise::entity::Json<()>,
        > as ::shardwise::entity::ColumnType>::WIRE,
    ];
    static STATEMENTS: ::shardwise::entity::Statements = ::shardwise::entity::Statements {
        get: ::shardwise::entity::Statement {
            sql: SQL_GET,
            params: &PARAMS_GET,
        },
        get_many: ::core::option::Option::Some(::shardwise::entity::Statement {
            sql: SQL_GET_MANY,
            params: &PARAMS_GET_MANY,
        }),
        exists: ::shardwise::entity::Statement {
            sql: SQL_EXISTS,
            params: &PARAMS_EXISTS,
        },
        delete: ::shardwise::entity::Statement {
            sql: SQL_DELETE,
            params: &PARAMS_DELETE,
        },
        count: ::shardwise::entity::Statement {
            sql: SQL_COUNT,
            params: &PARAMS_COUNT,
        },
        insert: ::shardwise::entity::Statement {
            sql: SQL_INSERT,
            params: &PARAMS_INSERT,
        },
        insert_returning: ::shardwise::entity::Statement {
            sql: SQL_INSERT_RETURNING,
            params: &PARAMS_INSERT_RETURNING,
        },
        upsert: ::shardwise::entity::Statement {
            sql: SQL_UPSERT,
            params: &PARAMS_UPSERT,
        },
        update: ::core::option::Option::Some(::shardwise::entity::Statement {
            sql: SQL_UPDATE,
            params: &PARAMS_UPDATE,
        }),
    };
    impl ::shardwise::entity::Entity for Transaction {
        type Distribution = ::shardwise::entity::HashDistributed<
            Uuid,
            <Wallet as ::shardwise::entity::DistributedBy<Uuid>>::Group,
        >;
        type Key = Uuid;
        const PARTITIONED: ::core::primitive::bool = true;
        fn table() -> &'static ::shardwise::schema::Table {
            &TABLE
        }
        fn statements() -> &'static ::shardwise::entity::Statements {
            &STATEMENTS
        }
        fn key(&self) -> Self::Key {
            <Uuid as ::core::clone::Clone>::clone(&self.id)
        }
        fn bind_insert<'a>(&'a self, __params: &mut ::shardwise::entity::Params<'a>) {
            <Uuid as ::shardwise::entity::ColumnType>::bind_column(
                &self.festival_id,
                __params,
            );
            <Uuid as ::shardwise::entity::ColumnType>::bind_column(&self.id, __params);
            <Uuid as ::shardwise::entity::ColumnType>::bind_column(
                &self.wallet_id,
                __params,
            );
            <Option<
                Uuid,
            > as ::shardwise::entity::ColumnType>::bind_column(
                &self.cashier_id,
                __params,
            );
            <i64 as ::shardwise::entity::ColumnType>::bind_column(
                &self.amount,
                __params,
            );
            <State as ::shardwise::entity::ColumnType>::bind_column(
                &self.state,
                __params,
            );
            <i32 as ::shardwise::entity::ColumnType>::bind_column(
                &self.receipt_number,
                __params,
            );
            <Option<
                String,
            > as ::shardwise::entity::ColumnType>::bind_column(&self.note, __params);
            <Vec<
                Item,
            > as ::shardwise::entity::JsonDocument>::bind_document(
                &self.items,
                __params,
            );
            <Device as ::shardwise::entity::JsonDocument>::bind_optional(
                &self.device,
                __params,
            );
            <Timestamp as ::shardwise::entity::ColumnType>::bind_column(
                &self.created_at,
                __params,
            );
        }
        fn bind_update<'a>(&'a self, __params: &mut ::shardwise::entity::Params<'a>) {
            <Uuid as ::shardwise::entity::ColumnType>::bind_column(
                &self.festival_id,
                __params,
            );
            <Uuid as ::shardwise::entity::ColumnType>::bind_column(&self.id, __params);
            <Timestamp as ::shardwise::entity::ColumnType>::bind_column(
                &self.created_at,
                __params,
            );
            <Uuid as ::shardwise::entity::ColumnType>::bind_column(
                &self.wallet_id,
                __params,
            );
            <Option<
                Uuid,
            > as ::shardwise::entity::ColumnType>::bind_column(
                &self.cashier_id,
                __params,
            );
            <i64 as ::shardwise::entity::ColumnType>::bind_column(
                &self.amount,
                __params,
            );
            <State as ::shardwise::entity::ColumnType>::bind_column(
                &self.state,
                __params,
            );
            <i32 as ::shardwise::entity::ColumnType>::bind_column(
                &self.receipt_number,
                __params,
            );
            <Option<
                String,
            > as ::shardwise::entity::ColumnType>::bind_column(&self.note, __params);
            <Vec<
                Item,
            > as ::shardwise::entity::JsonDocument>::bind_document(
                &self.items,
                __params,
            );
            <Device as ::shardwise::entity::JsonDocument>::bind_optional(
                &self.device,
                __params,
            );
        }
        fn read<__R: ::shardwise::entity::Columns>(
            __row: &__R,
            __at: ::core::primitive::usize,
        ) -> ::core::result::Result<Self, ::shardwise::__private::PgError> {
            ::core::result::Result::Ok(Self {
                festival_id: <Uuid as ::shardwise::entity::ColumnType>::read_column(
                    __row,
                    __at + 0usize,
                )?,
                id: <Uuid as ::shardwise::entity::ColumnType>::read_column(
                    __row,
                    __at + 1usize,
                )?,
                wallet_id: <Uuid as ::shardwise::entity::ColumnType>::read_column(
                    __row,
                    __at + 2usize,
                )?,
                cashier_id: <Option<
                    Uuid,
                > as ::shardwise::entity::ColumnType>::read_column(
                    __row,
                    __at + 3usize,
                )?,
                amount: <i64 as ::shardwise::entity::ColumnType>::read_column(
                    __row,
                    __at + 4usize,
                )?,
                state: <State as ::shardwise::entity::ColumnType>::read_column(
                    __row,
                    __at + 5usize,
                )?,
                receipt_number: <i32 as ::shardwise::entity::ColumnType>::read_column(
                    __row,
                    __at + 6usize,
                )?,
                note: <Option<
                    String,
                > as ::shardwise::entity::ColumnType>::read_column(
                    __row,
                    __at + 7usize,
                )?,
                items: <Vec<
                    Item,
                > as ::shardwise::entity::JsonDocument>::read_document(
                    __row,
                    __at + 8usize,
                )?,
                device: <Device as ::shardwise::entity::JsonDocument>::read_optional(
                    __row,
                    __at + 9usize,
                )?,
                serial: <i64 as ::shardwise::entity::ColumnType>::read_column(
                    __row,
                    __at + 10usize,
                )?,
                is_refund: <bool as ::shardwise::entity::ColumnType>::read_column(
                    __row,
                    __at + 11usize,
                )?,
                cached: <Cache as ::core::default::Default>::default(),
                created_at: <Timestamp as ::shardwise::entity::ColumnType>::read_column(
                    __row,
                    __at + 12usize,
                )?,
            })
        }
    }
    impl ::shardwise::entity::Distributed for Transaction {
        type DistributionKey = Uuid;
        type Group = <Wallet as ::shardwise::entity::DistributedBy<Uuid>>::Group;
        fn distribution_key(&self) -> &Uuid {
            &self.festival_id
        }
    }
    const _: () = <Timestamp as ::shardwise::entity::PartitionColumn>::CHECKED;
    const _: () = <i64 as ::shardwise::entity::SequenceColumn>::CHECKED;
    const _: () = <<Wallet as ::shardwise::entity::Entity>::Distribution as ::shardwise::entity::MeetsIn<
        Uuid,
        <Transaction as ::shardwise::entity::Distributed>::Group,
    >>::CHECKED;
    const _: () = <Uuid as ::shardwise::entity::ForeignKeyTo<
        <Wallet as ::shardwise::entity::Entity>::Key,
    >>::CHECKED;
    const _: () = ::core::assert!(
        ! < Wallet as ::shardwise::entity::Entity > ::PARTITIONED,
        "a partitioned table can't be referenced: its primary key holds the partition column, which this struct lacks; \
             remove `references`, and keep the id as a plain column"
    );
    const _: () = <<User as ::shardwise::entity::Entity>::Distribution as ::shardwise::entity::ClearedByDelete>::CHECKED;
    const _: () = <Option<
        Uuid,
    > as ::shardwise::entity::ForeignKeyTo<
        <User as ::shardwise::entity::Entity>::Key,
    >>::CHECKED;
    const _: () = ::core::assert!(
        ! < User as ::shardwise::entity::Entity > ::PARTITIONED,
        "a partitioned table can't be referenced: its primary key holds the partition column, which this struct lacks; \
             remove `references`, and keep the id as a plain column"
    );
};
