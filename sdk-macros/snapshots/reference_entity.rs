#[allow(dead_code, private_interfaces, missing_docs, unreachable_pub)]
impl Festival {
    ///The column `id`.
    const ID: renamed::entity::Column<Self, Uuid> = renamed::entity::Column::new(
        "id",
        <Uuid as renamed::entity::ColumnType>::BIND,
    );
    ///The column `slug`.
    const SLUG: renamed::entity::Column<Self, String> = renamed::entity::Column::new(
        "slug",
        <String as renamed::entity::ColumnType>::BIND,
    );
    ///The column `region`.
    const REGION: renamed::entity::Column<Self, Region> = renamed::entity::Column::new(
        "region",
        <Region as renamed::entity::ColumnType>::BIND,
    );
    ///The column `successor`.
    const SUCCESSOR: renamed::entity::Column<Self, Option<Uuid>> = renamed::entity::Column::new(
        "successor",
        <Option<Uuid> as renamed::entity::ColumnType>::BIND,
    );
}
const _: () = {
    const BIND_0: &::core::primitive::str = <Uuid as renamed::entity::ColumnType>::BIND;
    const READ_0: &::core::primitive::str = <Uuid as renamed::entity::ColumnType>::READ;
    const BIND_1: &::core::primitive::str = <String as renamed::entity::ColumnType>::BIND;
    const READ_1: &::core::primitive::str = <String as renamed::entity::ColumnType>::READ;
    const BIND_2: &::core::primitive::str = <Region as renamed::entity::ColumnType>::BIND;
    const READ_2: &::core::primitive::str = <Region as renamed::entity::ColumnType>::READ;
    const BIND_3: &::core::primitive::str = <Option<
        Uuid,
    > as renamed::entity::ColumnType>::BIND;
    const READ_3: &::core::primitive::str = <Option<
        Uuid,
    > as renamed::entity::ColumnType>::READ;
    static COLUMNS: [renamed::schema::ColumnDef; 4usize] = [
        renamed::schema::ColumnDef {
            field: "id",
            name: "id",
            sql_type: <Uuid as renamed::entity::ColumnType>::DDL,
            wire: <Uuid as renamed::entity::ColumnType>::WIRE,
            bind: BIND_0,
            read: READ_0,
            nullable: <Uuid as renamed::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Uuid as renamed::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        renamed::schema::ColumnDef {
            field: "slug",
            name: "slug",
            sql_type: <String as renamed::entity::ColumnType>::DDL,
            wire: <String as renamed::entity::ColumnType>::WIRE,
            bind: BIND_1,
            read: READ_1,
            nullable: <String as renamed::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <String as renamed::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
        renamed::schema::ColumnDef {
            field: "region",
            name: "region",
            sql_type: <Region as renamed::entity::ColumnType>::DDL,
            wire: <Region as renamed::entity::ColumnType>::WIRE,
            bind: BIND_2,
            read: READ_2,
            nullable: <Region as renamed::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Region as renamed::entity::ColumnType>::ENUMERATION,
            is_region: true,
        },
        renamed::schema::ColumnDef {
            field: "successor",
            name: "successor",
            sql_type: <Option<Uuid> as renamed::entity::ColumnType>::DDL,
            wire: <Option<Uuid> as renamed::entity::ColumnType>::WIRE,
            bind: BIND_3,
            read: READ_3,
            nullable: <Option<Uuid> as renamed::entity::ColumnType>::NULLABLE,
            default: ::core::option::Option::None,
            generated: ::core::option::Option::None,
            enumeration: <Option<Uuid> as renamed::entity::ColumnType>::ENUMERATION,
            is_region: false,
        },
    ];
    static TABLE: renamed::schema::Table = renamed::schema::Table {
        entity: "Festival",
        schema: ::core::option::Option::None,
        name: "festivals",
        kind: renamed::schema::Kind::Reference,
        columns: &COLUMNS,
        key: &["id"],
        primary_key: &["id"],
        uniques: &[
            renamed::schema::Unique {
                name: ::core::option::Option::None,
                columns: &["slug"],
            },
        ],
        indexes: &[],
        foreign_keys: &[
            renamed::schema::ForeignKey {
                column: "successor",
                target: <Festival as renamed::entity::Entity>::table,
                on_delete: renamed::schema::OnDelete::NoAction,
            },
        ],
        checks: &[],
        partition: ::core::option::Option::None,
    };
    const SQL_GET: &::core::primitive::str = renamed::__concat!(
        "SELECT ", "\"id\"", READ_0, ", \"slug\"", READ_1, ", \"region\"", READ_2,
        ", \"successor\"", READ_3, " FROM \"festivals\"", " WHERE ", "\"id\" = ", "$1",
        BIND_0,
    );
    static PARAMS_GET: [renamed::__private::Type; 1usize] = [
        <Uuid as renamed::entity::ColumnType>::WIRE,
    ];
    const SQL_GET_MANY: &::core::primitive::str = renamed::__concat!(
        "SELECT ", "\"id\"", READ_0, ", \"slug\"", READ_1, ", \"region\"", READ_2,
        ", \"successor\"", READ_3, " FROM \"festivals\"", " WHERE ", "\"id\" = ANY($1", <
        Uuid as renamed::entity::Element > ::ARRAY_BIND, ")"
    );
    static PARAMS_GET_MANY: [renamed::__private::Type; 1usize] = [
        <Uuid as renamed::entity::Element>::ARRAY_WIRE,
    ];
    const SQL_EXISTS: &::core::primitive::str = renamed::__concat!(
        "SELECT EXISTS (SELECT", " FROM \"festivals\"", " WHERE ", "\"id\" = ", "$1",
        BIND_0, ")"
    );
    static PARAMS_EXISTS: [renamed::__private::Type; 1usize] = [
        <Uuid as renamed::entity::ColumnType>::WIRE,
    ];
    const SQL_DELETE: &::core::primitive::str = renamed::__concat!(
        "DELETE", " FROM \"festivals\"", " WHERE ", "\"id\" = ", "$1", BIND_0,
    );
    static PARAMS_DELETE: [renamed::__private::Type; 1usize] = [
        <Uuid as renamed::entity::ColumnType>::WIRE,
    ];
    const SQL_COUNT: &::core::primitive::str = renamed::__concat!(
        "SELECT count(*)", " FROM \"festivals\"",
    );
    static PARAMS_COUNT: [renamed::__private::Type; 0usize] = [];
    const SQL_INSERT: &::core::primitive::str = renamed::__concat!(
        "INSERT INTO \"festivals\" (\"id\", \"slug\", \"region\", \"successor\") VALUES (",
        "", "$1", BIND_0, ", ", "$2", BIND_1, ", ", "$3", BIND_2, ", ", "$4", BIND_3,
        ")",
    );
    static PARAMS_INSERT: [renamed::__private::Type; 4usize] = [
        <Uuid as renamed::entity::ColumnType>::WIRE,
        <String as renamed::entity::ColumnType>::WIRE,
        <Region as renamed::entity::ColumnType>::WIRE,
        <Option<Uuid> as renamed::entity::ColumnType>::WIRE,
    ];
    const SQL_INSERT_RETURNING: &::core::primitive::str = renamed::__concat!(
        "INSERT INTO \"festivals\" (\"id\", \"slug\", \"region\", \"successor\") VALUES (",
        "", "$1", BIND_0, ", ", "$2", BIND_1, ", ", "$3", BIND_2, ", ", "$4", BIND_3,
        ")", " RETURNING ", "\"id\"", READ_0, ", \"slug\"", READ_1, ", \"region\"",
        READ_2, ", \"successor\"", READ_3,
    );
    static PARAMS_INSERT_RETURNING: [renamed::__private::Type; 4usize] = [
        <Uuid as renamed::entity::ColumnType>::WIRE,
        <String as renamed::entity::ColumnType>::WIRE,
        <Region as renamed::entity::ColumnType>::WIRE,
        <Option<Uuid> as renamed::entity::ColumnType>::WIRE,
    ];
    const SQL_UPSERT: &::core::primitive::str = renamed::__concat!(
        "INSERT INTO \"festivals\" (\"id\", \"slug\", \"region\", \"successor\") VALUES (",
        "", "$1", BIND_0, ", ", "$2", BIND_1, ", ", "$3", BIND_2, ", ", "$4", BIND_3,
        ")",
        " ON CONFLICT (\"id\") DO UPDATE SET \"slug\" = EXCLUDED.\"slug\", \"region\" = EXCLUDED.\"region\", \"successor\" = EXCLUDED.\"successor\"",
    );
    static PARAMS_UPSERT: [renamed::__private::Type; 4usize] = [
        <Uuid as renamed::entity::ColumnType>::WIRE,
        <String as renamed::entity::ColumnType>::WIRE,
        <Region as renamed::entity::ColumnType>::WIRE,
        <Option<Uuid> as renamed::entity::ColumnType>::WIRE,
    ];
    const SQL_UPDATE: &::core::primitive::str = renamed::__concat!(
        "UPDATE \"festivals\" SET ", "\"slug\" = ", "$2", BIND_1, ", \"region\" = ",
        "$3", BIND_2, ", \"successor\" = ", "$4", BIND_3, " WHERE ", "\"id\" = ", "$1",
        BIND_0,
    );
    static PARAMS_UPDATE: [renamed::__private::Type; 4usize] = [
        <Uuid as renamed::entity::ColumnType>::WIRE,
        <String as renamed::entity::ColumnType>::WIRE,
        <Region as renamed::entity::ColumnType>::WIRE,
        <Option<Uuid> as renamed::entity::ColumnType>::WIRE,
    ];
    static STATEMENTS: renamed::entity::Statements = renamed::entity::Statements {
        get: renamed::entity::Statement {
            sql: SQL_GET,
            params: &PARAMS_GET,
        },
        get_many: ::core::option::Option::Some(renamed::entity::Statement {
            sql: SQL_GET_MANY,
            params: &PARAMS_GET_MANY,
        }),
        exists: renamed::entity::Statement {
            sql: SQL_EXISTS,
            params: &PARAMS_EXISTS,
        },
        delete: renamed::entity::Statement {
            sql: SQL_DELETE,
            params: &PARAMS_DELETE,
        },
        count: renamed::entity::Statement {
            sql: SQL_COUNT,
            params: &PARAMS_COUNT,
        },
        insert: renamed::entity::Statement {
            sql: SQL_INSERT,
            params: &PARAMS_INSERT,
        },
        insert_returning: renamed::entity::Statement {
            sql: SQL_INSERT_RETURNING,
            params: &PARAMS_INSERT_RETURNING,
        },
        upsert: renamed::entity::Statement {
            sql: SQL_UPSERT,
            params: &PARAMS_UPSERT,
        },
        update: ::core::option::Option::Some(renamed::entity::Statement {
            sql: SQL_UPDATE,
            params: &PARAMS_UPDATE,
        }),
    };
    impl renamed::entity::Entity for Festival {
        type Distribution = renamed::entity::Replicated;
        type Key = Uuid;
        const PARTITIONED: ::core::primitive::bool = false;
        fn table() -> &'static renamed::schema::Table {
            &TABLE
        }
        fn statements() -> &'static renamed::entity::Statements {
            &STATEMENTS
        }
        fn key(&self) -> Self::Key {
            <Uuid as ::core::clone::Clone>::clone(&self.id)
        }
        fn bind_insert<'a>(&'a self, __params: &mut renamed::entity::Params<'a>) {
            <Uuid as renamed::entity::ColumnType>::bind_column(&self.id, __params);
            <String as renamed::entity::ColumnType>::bind_column(&self.slug, __params);
            <Region as renamed::entity::ColumnType>::bind_column(&self.region, __params);
            <Option<
                Uuid,
            > as renamed::entity::ColumnType>::bind_column(&self.successor, __params);
        }
        fn bind_update<'a>(&'a self, __params: &mut renamed::entity::Params<'a>) {
            <Uuid as renamed::entity::ColumnType>::bind_column(&self.id, __params);
            <String as renamed::entity::ColumnType>::bind_column(&self.slug, __params);
            <Region as renamed::entity::ColumnType>::bind_column(&self.region, __params);
            <Option<
                Uuid,
            > as renamed::entity::ColumnType>::bind_column(&self.successor, __params);
        }
        fn read<__R: renamed::entity::Columns>(
            __row: &__R,
            __at: ::core::primitive::usize,
        ) -> ::core::result::Result<Self, renamed::__private::PgError> {
            ::core::result::Result::Ok(Self {
                id: <Uuid as renamed::entity::ColumnType>::read_column(
                    __row,
                    __at + 0usize,
                )?,
                slug: <String as renamed::entity::ColumnType>::read_column(
                    __row,
                    __at + 1usize,
                )?,
                region: <Region as renamed::entity::ColumnType>::read_column(
                    __row,
                    __at + 2usize,
                )?,
                successor: <Option<
                    Uuid,
                > as renamed::entity::ColumnType>::read_column(__row, __at + 3usize)?,
            })
        }
    }
    impl renamed::entity::Reference for Festival {}
    const _: () = <Region as renamed::entity::RegionColumn>::CHECKED;
    const _: () = <<Festival as renamed::entity::Entity>::Distribution as renamed::entity::OnEveryNode>::CHECKED;
    const _: () = <Option<
        Uuid,
    > as renamed::entity::ForeignKeyTo<
        <Festival as renamed::entity::Entity>::Key,
    >>::CHECKED;
    const _: () = ::core::assert!(
        ! < Festival as renamed::entity::Entity > ::PARTITIONED,
        "a partitioned table can't be referenced: its primary key holds the partition column, which this struct lacks; \
             remove `references`, and keep the id as a plain column"
    );
};
