#[allow(dead_code, private_interfaces, missing_docs, unreachable_pub)]
impl Festival {
    ///The column `id`.
    pub(crate) const ID: ::shardwise::entity::Column<Self, Uuid> = ::shardwise::entity::Column::new(
        "id",
        <Uuid as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `slug`.
    pub(crate) const SLUG: ::shardwise::entity::Column<Self, String> = ::shardwise::entity::Column::new(
        "slug",
        <String as ::shardwise::entity::ColumnType>::BIND,
    );
    ///The column `region`.
    pub(crate) const REGION: ::shardwise::entity::Column<Self, Region> = ::shardwise::entity::Column::new(
        "region",
        <Region as ::shardwise::entity::ColumnType>::BIND,
    );
}
const _: () = {
    const BIND_0: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::BIND;
    const READ_0: &::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::READ;
    const BIND_1: &::core::primitive::str = <String as ::shardwise::entity::ColumnType>::BIND;
    const READ_1: &::core::primitive::str = <String as ::shardwise::entity::ColumnType>::READ;
    const BIND_2: &::core::primitive::str = <Region as ::shardwise::entity::ColumnType>::BIND;
    const READ_2: &::core::primitive::str = <Region as ::shardwise::entity::ColumnType>::READ;
    static COLUMNS: [::shardwise::schema::ColumnDef; 3usize] = [
        ::shardwise::schema::ColumnDef {
            field: "id",
            name: "id",
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
            field: "slug",
            name: "slug",
            sql_type: <String as ::shardwise::entity::ColumnType>::DDL,
            wire: <String as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_1,
            read: READ_1,
            nullable: <String as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <String as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        ::shardwise::schema::ColumnDef {
            field: "region",
            name: "region",
            sql_type: <Region as ::shardwise::entity::ColumnType>::DDL,
            wire: <Region as ::shardwise::entity::ColumnType>::WIRE,
            bind: BIND_2,
            read: READ_2,
            nullable: <Region as ::shardwise::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Region as ::shardwise::entity::ColumnType>::ENUMERATION,
            is_region: true,
        },
    ];
    static TABLE: ::shardwise::schema::Table = ::shardwise::schema::Table {
        entity: "Festival",
        schema: ::core::option::Option::None,
        name: "festivals",
        kind: ::shardwise::schema::Kind::Reference,
        columns: &COLUMNS,
        key: &["id"],
        primary_key: &["id"],
        uniques: &[
            ::shardwise::schema::Unique {
                name: ::core::option::Option::None,
                columns: &["slug"],
            },
        ],
        indexes: &[],
        foreign_keys: &[],
        checks: &[],
        partition: ::core::option::Option::None,
    };
    const SQL_GET: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT ", "\"id\"", READ_0, ", \"slug\"", READ_1, ", \"region\"", READ_2,
        " FROM \"festivals\"", " WHERE ", "\"id\" = ", "$1", BIND_0,
    );
    static PARAMS_GET: [::shardwise::__private::Type; 1usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_GET_MANY: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT ", "\"id\"", READ_0, ", \"slug\"", READ_1, ", \"region\"", READ_2,
        " FROM \"festivals\"", " WHERE ", "\"id\" = ANY($1", < Uuid as
        ::shardwise::entity::Element > ::ARRAY_BIND, ")"
    );
    static PARAMS_GET_MANY: [::shardwise::__private::Type; 1usize] = [
        <Uuid as ::shardwise::entity::Element>::ARRAY_WIRE,
    ];
    const SQL_EXISTS: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT EXISTS (SELECT", " FROM \"festivals\"", " WHERE ", "\"id\" = ", "$1",
        BIND_0, ")"
    );
    static PARAMS_EXISTS: [::shardwise::__private::Type; 1usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_DELETE: &::core::primitive::str = ::shardwise::__concat!(
        "DELETE", " FROM \"festivals\"", " WHERE ", "\"id\" = ", "$1", BIND_0,
    );
    static PARAMS_DELETE: [::shardwise::__private::Type; 1usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_COUNT: &::core::primitive::str = ::shardwise::__concat!(
        "SELECT count(*)", " FROM \"festivals\"",
    );
    static PARAMS_COUNT: [::shardwise::__private::Type; 0usize] = [];
    const SQL_INSERT: &::core::primitive::str = ::shardwise::__concat!(
        "INSERT INTO \"festivals\" (\"id\", \"slug\", \"region\") VALUES (", "", "$1",
        BIND_0, ", ", "$2", BIND_1, ", ", "$3", BIND_2, ")",
    );
    static PARAMS_INSERT: [::shardwise::__private::Type; 3usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <String as ::shardwise::entity::ColumnType>::WIRE,
        <Region as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_INSERT_RETURNING: &::core::primitive::str = ::shardwise::__concat!(
        "INSERT INTO \"festivals\" (\"id\", \"slug\", \"region\") VALUES (", "", "$1",
        BIND_0, ", ", "$2", BIND_1, ", ", "$3", BIND_2, ")", " RETURNING ", "\"id\"",
        READ_0, ", \"slug\"", READ_1, ", \"region\"", READ_2,
    );
    static PARAMS_INSERT_RETURNING: [::shardwise::__private::Type; 3usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <String as ::shardwise::entity::ColumnType>::WIRE,
        <Region as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_UPSERT: &::core::primitive::str = ::shardwise::__concat!(
        "INSERT INTO \"festivals\" (\"id\", \"slug\", \"region\") VALUES (", "", "$1",
        BIND_0, ", ", "$2", BIND_1, ", ", "$3", BIND_2, ")",
        " ON CONFLICT (\"id\") DO UPDATE SET \"slug\" = EXCLUDED.\"slug\", \"region\" = EXCLUDED.\"region\"",
    );
    static PARAMS_UPSERT: [::shardwise::__private::Type; 3usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <String as ::shardwise::entity::ColumnType>::WIRE,
        <Region as ::shardwise::entity::ColumnType>::WIRE,
    ];
    const SQL_UPDATE: &::core::primitive::str = ::shardwise::__concat!(
        "UPDATE \"festivals\" SET ", "\"slug\" = ", "$2", BIND_1, ", \"region\" = ",
        "$3", BIND_2, " WHERE ", "\"id\" = ", "$1", BIND_0,
    );
    static PARAMS_UPDATE: [::shardwise::__private::Type; 3usize] = [
        <Uuid as ::shardwise::entity::ColumnType>::WIRE,
        <String as ::shardwise::entity::ColumnType>::WIRE,
        <Region as ::shardwise::entity::ColumnType>::WIRE,
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
    impl ::shardwise::entity::Entity for Festival {
        type Distribution = ::shardwise::entity::Replicated;
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
            params.push(&self.id);
            params.push(&self.slug);
            params.push(&self.region);
        }
        fn bind_update<'a>(&'a self, params: &mut ::shardwise::entity::Params<'a>) {
            params.push(&self.id);
            params.push(&self.slug);
            params.push(&self.region);
        }
        fn read<R: ::shardwise::entity::Columns>(
            row: &R,
            at: ::core::primitive::usize,
        ) -> ::core::result::Result<Self, ::shardwise::__private::PgError> {
            ::core::result::Result::Ok(Self {
                id: ::shardwise::entity::Columns::column::<Uuid>(row, at + 0usize)?,
                slug: ::shardwise::entity::Columns::column::<String>(row, at + 1usize)?,
                region: ::shardwise::entity::Columns::column::<Region>(row, at + 2usize)?,
            })
        }
    }
    impl ::shardwise::entity::Reference for Festival {}
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<Uuid>();
    };
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<String>();
    };
    const _: fn() = || {
        fn column<T: ::shardwise::entity::ColumnType>() {}
        column::<Region>();
    };
    const _: fn() = || {
        fn key<T: ::shardwise::entity::Element>() {}
        key::<Uuid>();
    };
    const _: fn(Region) -> ::shardwise::Region = |region| region;
};
