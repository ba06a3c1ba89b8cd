#[allow(dead_code, private_interfaces, missing_docs, unreachable_pub)]
impl Entry {
    ///The column `festival_id`.
    const FESTIVAL_ID: ::shardwise::entity::Column<Self, Uuid> = ::shardwise::entity::Column::new(
        "festival_id",
        <Uuid as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `id`.
    const ID: ::shardwise::entity::Column<Self, i64> = ::shardwise::entity::Column::new(
        "id",
        <i64 as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `wallet_id`.
    const WALLET_ID: ::shardwise::entity::Column<Self, Uuid> = ::shardwise::entity::Column::new(
        "wallet_id",
        <Uuid as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `at`.
    const AT: ::shardwise::entity::Column<Self, Timestamp> = ::shardwise::entity::Column::new(
        "at",
        <Timestamp as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `type`.
    const KIND: ::shardwise::entity::Column<Self, Kind> = ::shardwise::entity::Column::new(
        "type",
        ::shardwise::__concat!(
            "::", < Kind as ::shardwise::entity::ColumnType > ::DDL, "::", "varchar"
        ),
    );
}
const _: () = {
    const BIND_0: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::BIND;
    const READ_0: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::READ;
    const BIND_1: &::core::primitive::str = <i64 as ::shardwise::entity::ColumnType>::BIND;
    const READ_1: &::core::primitive::str = <i64 as ::shardwise::entity::ColumnType>::READ;
    const BIND_2: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::BIND;
    const READ_2: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::READ;
    const BIND_3: &::core::primitive::str = <Timestamp as ::shardwise::entity::ColumnType>::BIND;
    const READ_3: &::core::primitive::str = <Timestamp as ::shardwise::entity::ColumnType>::READ;
    const BIND_4: &::core::primitive::str = ::shardwise::__concat!(
        "::", < Kind as ::shardwise::entity::ColumnType > ::DDL, "::", "varchar"
    );
    const READ_4: &::core::primitive::str = ::shardwise::__concat!(
        "::", < Kind as ::shardwise::entity::ColumnType > ::DDL
    );
    static COLUMNS: [::shardwise::schema::ColumnDef; 5usize] = [
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
            sql_type: <i64 as ::shardwise::entity::ColumnType>::DDL,
            wire: <i64 as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_1,
            read: READ_1,
            nullable: <i64 as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::Some(
                ::shardwise::schema::Generated::Identity,
            ),
            enumeration: <i64 as ::shardwise::entity::ColumnType>::ENUMERATION,
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
            field: "at",
            name: "at",
            sql_type: <Timestamp as ::shardwise::entity::ColumnType>::DDL,
            wire: <Timestamp as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_3,
            read: READ_3,
            nullable: <Timestamp as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Timestamp as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "kind",
            name: "type",
            sql_type: "varchar(20)",
            wire: <Kind as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_4,
            read: READ_4,
            nullable: <Kind as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Kind as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
    ];
    static TABLE: ::shardwise::schema::Table = ::shardwise::schema::Table {
        entity: "Entry",
        schema: ::core::option::Option::Some("ledger"),
        name: "entries",
        kind: ::shardwise::schema::Kind::Distributed {
            column: "festival_id",
            colocated_with: ::shardwise::schema::Colocation::Default,
        },
        columns: &COLUMNS,
        key: &["id"],
        primary_key: &["festival_id", "id", "at"],
        uniques: &[],
        indexes: &[
            ::shardwise::schema::Index {
                name: ::core::option::Option::Some("entries_wallet"),
                columns: &[
                    ::shardwise::schema::IndexColumn {
                        name: "festival_id",
                        descending: false,
                    },
                    ::shardwise::schema::IndexColumn {
                        name: "wallet_id",
                        descending: false,
                    },
                    ::shardwise::schema::IndexColumn {
                        name: "at",
                        descending: true,
                    },
                ],
                predicate: ::core::option::Option::None,
            },
        ],
        foreign_keys: &[
            ::shardwise::schema::ForeignKey {
                column: "wallet_id",
                target: <Wallet as ::shardwise::entity::Entity>::table,
                on_delete: ::shardwise::schema::OnDelete::NoAction,
            },
        ],
        checks: &[],
        partition: ::core::option::Option::Some(::shardwise::schema::Partition {
            column: "at",
            interval: ::shardwise::schema::Interval::Monthly,
        }),
    };
    const SQL_GET: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT ", "\"festival_id\"", READ_0, ", \"id\"", READ_1, ", \"wallet_id\"",
        READ_2, ", \"at\"", READ_3, ", \"type\"", READ_4, " FROM \"ledger\".\"entries\"",
        " WHERE ", "\"festival_id\" = ", "$1", BIND_0, " AND \"id\" = ", "$2", BIND_1,
    );
    static PARAMS_GET: [::shardwise::__private::Type; 2usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_GET_MANY: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT ", "\"festival_id\"", READ_0, ", \"id\"", READ_1, ", \"wallet_id\"",
        READ_2, ", \"at\"", READ_3, ", \"type\"", READ_4, " FROM \"ledger\".\"entries\"",
        " WHERE ", "\"festival_id\" = ", "$1", BIND_0, " AND \"id\" = ANY($2", < i64 as
        ::shardwise::entity::Element > ::ARRAY_BIND, ")"
    );
    static PARAMS_GET_MANY: [::shardwise::__private::Type; 2usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::Element>::ARRAY_WIRE,
    ];
    const SQL_EXISTS: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT EXISTS (SELECT", " FROM \"ledger\".\"entries\"", " WHERE ",
        "\"festival_id\" = ", "$1", BIND_0, " AND \"id\" = ", "$2", BIND_1, ")"
    );
    static PARAMS_EXISTS: [::shardwise::__private::Type; 2usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_DELETE: &::core::primitive::str = ::shardwise::__concat!(
        "DELETE", " FROM \"ledger\".\"entries\"", " WHERE ", "\"festival_id\" = ", "$1",
        BIND_0, " AND \"id\" = ", "$2", BIND_1,
    );
    static PARAMS_DELETE: [::shardwise::__private::Type; 2usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_COUNT: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT count(*)", " FROM \"ledger\".\"entries\"", " WHERE ",
        "\"festival_id\" = ", "$1", BIND_0,
    );
    static PARAMS_COUNT: [::shardwise::__private::Type; 1usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_INSERT: &::core::primitive::str = ::shardwise::__concat!(
        "INSERT INTO \"ledger\".\"entries\" (\"festival_id\", \"wallet_id\", \"at\", \"type\") VALUES (",
        "", "$1", BIND_0, ", ", "$2", BIND_2, ", ", "$3", BIND_3, ", ", "$4", BIND_4,
        ")",
    );
    static PARAMS_INSERT: [::shardwise::__private::Type; 4usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Timestamp as ::shardwise::entity::ColumnType>::WIRE,
        <Kind as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_INSERT_RETURNING: &::core::primitive::str = ::shardwise::__concat!(
        "INSERT INTO \"ledger\".\"entries\" (\"festival_id\", \"wallet_id\", \"at\", \"type\") VALUES (",
        "", "$1", BIND_0, ", ", "$2", BIND_2, ", ", "$3", BIND_3, ", ", "$4", BIND_4,
        ")", " RETURNING ", "\"festival_id\"", READ_0, ", \"id\"", READ_1,
        ", \"wallet_id\"", READ_2, ", \"at\"", READ_3, ", \"type\"", READ_4,
    );
    static PARAMS_INSERT_RETURNING: [::shardwise::__private::Type; 4usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Timestamp as ::shardwise::entity::ColumnType>::WIRE,
        <Kind as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_UPSERT: &::core::primitive::str = ::shardwise::__concat!(
        "INSERT INTO \"ledger\".\"entries\" (\"festival_id\", \"wallet_id\", \"at\", \"type\") VALUES (",
        "", "$1", BIND_0, ", ", "$2", BIND_2, ", ", "$3", BIND_3, ", ", "$4", BIND_4,
        ")",
        " ON CONFLICT (\"festival_id\", \"id\", \"at\") DO UPDATE SET \"wallet_id\" = EXCLUDED.\"wallet_id\", \"type\" = EXCLUDED.\"type\"",
    );
    static PARAMS_UPSERT: [::shardwise::__private::Type; 4usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Timestamp as ::shardwise::entity::ColumnType>::WIRE,
        <Kind as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_UPDATE: &::core::primitive::str = ::shardwise::__concat!(
        "UPDATE \"ledger\".\"entries\" SET ", "\"wallet_id\" = ", "$4", BIND_2,
        ", \"type\" = ", "$5", BIND_4, " WHERE ", "\"festival_id\" = ", "$1", BIND_0,
        " AND \"id\" = ", "$2", BIND_1, " AND \"at\" = ", "$3", BIND_3,
    );
    static PARAMS_UPDATE: [::shardwise::__private::Type; 5usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::ColumnType>::WIRE,
        <Timestamp as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Kind as ::shardwise::entity::ColumnType>::WIRE,
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
    impl ::shardwise::entity::Entity for Entry {
        type Distribution = ::shardwise::entity::HashDistributed<
            Uuid,
            ::shardwise::entity::DefaultGroup,
        >;
        type Key = i64;
        const PARTITIONED: ::core::primitive::bool = true;
        fn table() -> &'static ::shardwise::schema::Table {
            &TABLE
        }
        fn statements() -> &'static ::shardwise::entity::Statements {
            &STATEMENTS
        }
        fn key(&self) -> Self::Key {
            ::core::clone::Clone::clone(&self.id)
        }
        fn bind_insert<'a>(&'a self, params: &mut ::shardwise::entity::Params<'a>) {
            params.push(&self.festival_id);
            params.push(&self.wallet_id);
            params.push(&self.at);
            params.push(&self.kind);
        }
        fn bind_update<'a>(&'a self, params: &mut ::shardwise::entity::Params<'a>) {
            params.push(&self.festival_id);
            params.push(&self.id);
            params.push(&self.at);
            params.push(&self.wallet_id);
            params.push(&self.kind);
        }
        fn read<R: ::shardwise::entity::Columns>(
            row: &R,
            at: ::core::primitive::usize,
        ) -> ::core::result::Result<Self, ::shardwise::__private::PgError> {
            ::core::result::Result::Ok(Self {
                festival_id: ::shardwise::entity::Columns::column::<
                    Uuid,
                >(row, at + 0usize)?,
                id: ::shardwise::entity::Columns::column::<i64>(row, at + 1usize)?,
                wallet_id: ::shardwise::entity::Columns::column::<
                    Uuid,
                >(row, at + 2usize)?,
                at: ::shardwise::entity::Columns::column::<Timestamp>(row, at + 3usize)?,
                kind: ::shardwise::entity::Columns::column::<Kind>(row, at + 4usize)?,
            })
        }
    }
    impl ::shardwise::entity::Distributed for Entry {
        type DistributionKey = Uuid;
        type Group = ::shardwise::entity::DefaultGroup;
        fn distribution_key(&self) -> &Uuid {
            &self.festival_id
        }
    }
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<Uuid>();
    };
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<i64>();
    };
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<Uuid>();
    };
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<Timestamp>();
    };
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<Kind>();
    };
    const _: () = ::core::assert!(
        ::shardwise::__private::is_bigint(< i64 as ::shardwise::entity::ColumnType >
        ::DDL),
        "a sequence fills an `i64`: Citus refuses identity columns of other types; for a computed column write \
                 `generated = \"expression\"`"
    );
    const _: fn() = || {
        fn key<T: ::shardwise::entity::Element>() {}
        key::<i64>();
    };
    const _: fn() = || {
        fn distribution_key<T: ::shardwise::DistributionKey>() {}
        distribution_key::<Uuid>();
    };
    const _: fn() = || {
        fn partition_column<T: ::shardwise::entity::PartitionColumn>() {}
        partition_column::<Timestamp>();
    };
    const _: fn() = || {
        fn co_located<T: ::shardwise::entity::Entity>()
        where
            T::Distribution: ::shardwise::entity::MeetsIn<
                Uuid,
                <Entry as ::shardwise::entity::Distributed>::Group,
            >,
        {}
        co_located::<Wallet>();
        fn of_its_key<F: ::shardwise::entity::ForeignKeyTo<K>, K>() {}
        of_its_key::<Uuid, <Wallet as ::shardwise::entity::Entity>::Key>();
    };
    const _: () = ::core::assert!(
        ! < Wallet as ::shardwise::entity::Entity > ::PARTITIONED,
        "a partitioned table can't be referenced: its primary key holds the partition column, which this struct lacks; \
             remove `references`, and keep the id as a plain column"
    );
};
