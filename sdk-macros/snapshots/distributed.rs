#[allow(dead_code, private_interfaces, missing_docs, unreachable_pub)]
impl Wallet {
    ///The column `festival_id`.
    pub const FESTIVAL_ID: ::shardwise::entity::Column<Self, Uuid> = ::shardwise::entity::Column::new(
        "festival_id",
        <Uuid as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `id`.
    pub const ID: ::shardwise::entity::Column<Self, Uuid> = ::shardwise::entity::Column::new(
        "id",
        <Uuid as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `user_id`.
    pub const USER_ID: ::shardwise::entity::Column<Self, Option<Uuid>> = ::shardwise::entity::Column::new(
        "user_id",
        <Option<Uuid> as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `balance`.
    pub const BALANCE: ::shardwise::entity::Column<Self, i64> = ::shardwise::entity::Column::new(
        "balance",
        <i64 as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `tag`.
    pub const TAG: ::shardwise::entity::Column<Self, String> = ::shardwise::entity::Column::new(
        "tag",
        <String as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `extra`.
    pub const EXTRA: ::shardwise::entity::Column<
        Self,
        ::shardwise::entity::Json<Extra>,
    > = ::shardwise::entity::Column::new(
        "extra",
        <::shardwise::entity::Json<Extra> as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `whole`.
    pub const WHOLE: ::shardwise::entity::Column<Self, i64> = ::shardwise::entity::Column::new(
        "whole",
        <i64 as ::shardwise::entity::ColumnType>::BIND,
    );
}
const _: () = {
    const BIND_0: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::BIND;
    const READ_0: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::READ;
    const BIND_1: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::BIND;
    const READ_1: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::READ;
    const BIND_2: &::core::primitive::str = <Option<
        Uuid,
    > as ::shardwise::entity::ColumnType>::BIND;
    const READ_2: &::core::primitive::str = <Option<
        Uuid,
    > as ::shardwise::entity::ColumnType>::READ;
    const BIND_3: &::core::primitive::str = <i64 as ::shardwise::entity::ColumnType>::BIND;
    const READ_3: &::core::primitive::str = <i64 as ::shardwise::entity::ColumnType>::READ;
    const BIND_4: &::core::primitive::str = <String as ::shardwise::entity::ColumnType>::BIND;
    const READ_4: &::core::primitive::str = <String as ::shardwise::entity::ColumnType>::READ;
    const BIND_5: &::core::primitive::str = <::shardwise::entity::Json<
        Extra,
    > as ::shardwise::entity::ColumnType>::BIND;
    const READ_5: &::core::primitive::str = <::shardwise::entity::Json<
        Extra,
    > as ::shardwise::entity::ColumnType>::READ;
    const BIND_6: &::core::primitive::str = <i64 as ::shardwise::entity::ColumnType>::BIND;
    const READ_6: &::core::primitive::str = <i64 as ::shardwise::entity::ColumnType>::READ;
    static COLUMNS: [::shardwise::schema::ColumnDef; 7usize] = [
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
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Uuid as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "user_id",
            name: "user_id",
            sql_type: <Option<Uuid> as ::shardwise::entity::ColumnType>::DDL,
            wire: <Option<Uuid> as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_2,
            read: READ_2,
            nullable: <Option<Uuid> as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Option<Uuid> as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "balance",
            name: "balance",
            sql_type: <i64 as ::shardwise::entity::ColumnType>::DDL,
            wire: <i64 as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_3,
            read: READ_3,
            nullable: <i64 as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::Some("0"),
            generated: ::core::option::Option::None,
            enumeration: <i64 as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "tag",
            name: "tag",
            sql_type: <String as ::shardwise::entity::ColumnType>::DDL,
            wire: <String as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_4,
            read: READ_4,
            nullable: <String as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <String as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "extra",
            name: "extra",
            sql_type: <::shardwise::entity::Json<
                Extra,
            > as ::shardwise::entity::ColumnType>::DDL,
            wire: <::shardwise::entity::Json<
                Extra,
            > as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_5,
            read: READ_5,
            nullable: <::shardwise::entity::Json<
                Extra,
            > as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <::shardwise::entity::Json<
                Extra,
            > as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "whole",
            name: "whole",
            sql_type: <i64 as ::shardwise::entity::ColumnType>::DDL,
            wire: <i64 as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_6,
            read: READ_6,
            nullable: <i64 as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::Some(
                ::shardwise::schema::Generated::Stored("balance / 100"),
            ),
            enumeration: <i64 as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
    ];
    static TABLE: ::shardwise::schema::Table = ::shardwise::schema::Table {
        entity: "Wallet",
        schema: ::core::option::Option::None,
        name: "wallets",
        kind: ::shardwise::schema::Kind::Distributed {
            column: "festival_id",
            colocated_with: ::shardwise::schema::Colocation::Default,
        },
        columns: &COLUMNS,
        key: &["id"],
        primary_key: &["festival_id", "id"],
        uniques: &[
            ::shardwise::schema::Unique {
                name: ::core::option::Option::None,
                columns: &["festival_id", "tag"],
            },
        ],
        indexes: &[],
        foreign_keys: &[
            ::shardwise::schema::ForeignKey {
                column: "user_id",
                target: <User as ::shardwise::entity::Entity>::table,
                on_delete: ::shardwise::schema::OnDelete::SetNull,
            },
        ],
        checks: &[
            ::shardwise::schema::Check {
                column: "balance",
                expression: "balance >= 0",
            },
        ],
        partition: ::core::option::Option::None,
    };
    const SQL_GET: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT ", "\"festival_id\"", READ_0, ", \"id\"", READ_1, ", \"user_id\"",
        READ_2, ", \"balance\"", READ_3, ", \"tag\"", READ_4, ", \"extra\"", READ_5,
        ", \"whole\"", READ_6, " FROM \"wallets\"", " WHERE ", "\"festival_id\" = ",
        "$1", BIND_0, " AND \"id\" = ", "$2", BIND_1,
    );
    static PARAMS_GET: [::shardwise::__private::Type; 2usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_GET_MANY: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT ", "\"festival_id\"", READ_0, ", \"id\"", READ_1, ", \"user_id\"",
        READ_2, ", \"balance\"", READ_3, ", \"tag\"", READ_4, ", \"extra\"", READ_5,
        ", \"whole\"", READ_6, " FROM \"wallets\"", " WHERE ", "\"festival_id\" = ",
        "$1", BIND_0, " AND \"id\" = ANY($2", < Uuid as ::shardwise::entity::Element >
        ::ARRAY_BIND, ")"
    );
    static PARAMS_GET_MANY: [::shardwise::__private::Type; 2usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::Element>::ARRAY_WIRE,
    ];
    const SQL_EXISTS: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT EXISTS (SELECT", " FROM \"wallets\"", " WHERE ", "\"festival_id\" = ",
        "$1", BIND_0, " AND \"id\" = ", "$2", BIND_1, ")"
    );
    static PARAMS_EXISTS: [::shardwise::__private::Type; 2usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_DELETE: &::core::primitive::str = ::shardwise::__concat!(
        "DELETE", " FROM \"wallets\"", " WHERE ", "\"festival_id\" = ", "$1", BIND_0,
        " AND \"id\" = ", "$2", BIND_1,
    );
    static PARAMS_DELETE: [::shardwise::__private::Type; 2usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_COUNT: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT count(*)", " FROM \"wallets\"", " WHERE ", "\"festival_id\" = ", "$1",
        BIND_0,
    );
    static PARAMS_COUNT: [::shardwise::__private::Type; 1usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_INSERT: &::core::primitive::str = ::shardwise::__concat!(
        "INSERT INTO \"wallets\" (\"festival_id\", \"id\", \"user_id\", \"balance\", \"tag\", \"extra\") VALUES (",
        "", "$1", BIND_0, ", ", "$2", BIND_1, ", ", "$3", BIND_2, ", ", "$4", BIND_3,
        ", ", "$5", BIND_4, ", ", "$6", BIND_5, ")",
    );
    static PARAMS_INSERT: [::shardwise::__private::Type; 6usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Option<Uuid> as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::ColumnType>::WIRE,
        <String as ::shardwise::entity::ColumnType>::WIRE,
        <::shardwise::entity::Json<Extra> as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_INSERT_RETURNING: &::core::primitive::str = ::shardwise::__concat!(
        "INSERT INTO \"wallets\" (\"festival_id\", \"id\", \"user_id\", \"balance\", \"tag\", \"extra\") VALUES (",
        "", "$1", BIND_0, ", ", "$2", BIND_1, ", ", "$3", BIND_2, ", ", "$4", BIND_3,
        ", ", "$5", BIND_4, ", ", "$6", BIND_5, ")", " RETURNING ", "\"festival_id\"",
        READ_0, ", \"id\"", READ_1, ", \"user_id\"", READ_2, ", \"balance\"", READ_3,
        ", \"tag\"", READ_4, ", \"extra\"", READ_5, ", \"whole\"", READ_6,
    );
    static PARAMS_INSERT_RETURNING: [::shardwise::__private::Type; 6usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Option<Uuid> as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::ColumnType>::WIRE,
        <String as ::shardwise::entity::ColumnType>::WIRE,
        <::shardwise::entity::Json<Extra> as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_UPSERT: &::core::primitive::str = ::shardwise::__concat!(
        "INSERT INTO \"wallets\" (\"festival_id\", \"id\", \"user_id\", \"balance\", \"tag\", \"extra\") VALUES (",
        "", "$1", BIND_0, ", ", "$2", BIND_1, ", ", "$3", BIND_2, ", ", "$4", BIND_3,
        ", ", "$5", BIND_4, ", ", "$6", BIND_5, ")",
        " ON CONFLICT (\"festival_id\", \"id\") DO UPDATE SET \"user_id\" = EXCLUDED.\"user_id\", \"balance\" = EXCLUDED.\"balance\", \"tag\" = EXCLUDED.\"tag\", \"extra\" = EXCLUDED.\"extra\"",
    );
    static PARAMS_UPSERT: [::shardwise::__private::Type; 6usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Option<Uuid> as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::ColumnType>::WIRE,
        <String as ::shardwise::entity::ColumnType>::WIRE,
        <::shardwise::entity::Json<Extra> as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_UPDATE: &::core::primitive::str = ::shardwise::__concat!(
        "UPDATE \"wallets\" SET ", "\"user_id\" = ", "$3", BIND_2, ", \"balance\" = ",
        "$4", BIND_3, ", \"tag\" = ", "$5", BIND_4, ", \"extra\" = ", "$6", BIND_5,
        " WHERE ", "\"festival_id\" = ", "$1", BIND_0, " AND \"id\" = ", "$2", BIND_1,
    );
    static PARAMS_UPDATE: [::shardwise::__private::Type; 6usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <Option<Uuid> as ::shardwise::entity::ColumnType>::WIRE,
        <i64 as ::shardwise::entity::ColumnType>::WIRE,
        <String as ::shardwise::entity::ColumnType>::WIRE,
        <::shardwise::entity::Json<Extra> as ::shardwise::entity::ColumnType>::WIRE,
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
    impl ::shardwise::entity::Entity for Wallet {
        type Distribution = ::shardwise::entity::HashDistributed<
            Uuid,
            ::shardwise::entity::DefaultGroup,
        >;
        type Key = Uuid;
        const PARTITIONED: ::core::primitive::bool = false;
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
            params.push(&self.id);
            params.push(&self.user_id);
            params.push(&self.balance);
            params.push(&self.tag);
            params.push_owned(::shardwise::entity::JsonRef(&self.extra));
        }
        fn bind_update<'a>(&'a self, params: &mut ::shardwise::entity::Params<'a>) {
            params.push(&self.festival_id);
            params.push(&self.id);
            params.push(&self.user_id);
            params.push(&self.balance);
            params.push(&self.tag);
            params.push_owned(::shardwise::entity::JsonRef(&self.extra));
        }
        fn read<R: ::shardwise::entity::Columns>(
            row: &R,
            at: ::core::primitive::usize,
        ) -> ::core::result::Result<Self, ::shardwise::__private::PgError> {
            ::core::result::Result::Ok(Self {
                festival_id: ::shardwise::entity::Columns::column::<
                    Uuid,
                >(row, at + 0usize)?,
                id: ::shardwise::entity::Columns::column::<Uuid>(row, at + 1usize)?,
                user_id: ::shardwise::entity::Columns::column::<
                    Option<Uuid>,
                >(row, at + 2usize)?,
                balance: ::shardwise::entity::Columns::column::<i64>(row, at + 3usize)?,
                tag: ::shardwise::entity::Columns::column::<String>(row, at + 4usize)?,
                extra: ::shardwise::entity::Columns::column::<
                    ::shardwise::entity::Json<Extra>,
                >(row, at + 5usize)?
                    .0,
                whole: ::shardwise::entity::Columns::column::<i64>(row, at + 6usize)?,
                seen: ::core::default::Default::default(),
            })
        }
    }
    impl ::shardwise::entity::Distributed for Wallet {
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
        column::<Uuid>();
    };
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<Option<Uuid>>();
    };
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<i64>();
    };
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<String>();
    };
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<::shardwise::entity::Json<Extra>>();
    };
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<i64>();
    };
    const _: fn() = || {
        fn key<T: ::shardwise::entity::Element>() {}
        key::<Uuid>();
    };
    const _: fn() = || {
        fn distribution_key<T: ::shardwise::DistributionKey>() {}
        distribution_key::<Uuid>();
    };
    const _: fn() = || {
        fn co_located<T: ::shardwise::entity::Entity>()
        where
            T::Distribution: ::shardwise::entity::MeetsIn<
                Uuid,
                <Wallet as ::shardwise::entity::Distributed>::Group,
            >,
        {}
        co_located::<User>();
        fn of_its_key<F: ::shardwise::entity::ForeignKeyTo<K>, K>() {}
        of_its_key::<Option<Uuid>, <User as ::shardwise::entity::Entity>::Key>();
    };
    const _: () = ::core::assert!(
        ! < User as ::shardwise::entity::Entity > ::PARTITIONED,
        "a partitioned table can't be referenced: its primary key holds the partition column, which this struct lacks; \
             remove `references`, and keep the id as a plain column"
    );
};
