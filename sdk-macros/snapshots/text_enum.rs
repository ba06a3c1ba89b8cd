const _: () = {
    static ENUMERATION: ::shardwise::schema::Enumeration = ::shardwise::schema::Enumeration {
        name: "State",
        labels: &["open", "shut_down"],
        native: false,
    };
    impl ::shardwise::__private::ToSql for State {
        fn to_sql(
            &self,
            _: &::shardwise::__private::Type,
            out: &mut ::shardwise::__private::BytesMut,
        ) -> ::shardwise::__private::CodecResult<::shardwise::__private::IsNull> {
            let label: &'static ::core::primitive::str = match self {
                Self::Open => "open",
                Self::ShutDown => "shut_down",
            };
            ::shardwise::__private::write_label(label, out)
        }
        fn accepts(ty: &::shardwise::__private::Type) -> ::core::primitive::bool {
            ::shardwise::__private::accepts_label(ty)
        }
        fn to_sql_checked(
            &self,
            ty: &::shardwise::__private::Type,
            out: &mut ::shardwise::__private::BytesMut,
        ) -> ::shardwise::__private::CodecResult<::shardwise::__private::IsNull> {
            ::shardwise::__private::checked(self, ty, out)
        }
    }
    impl<'a> ::shardwise::__private::FromSql<'a> for State {
        fn from_sql(
            _: &::shardwise::__private::Type,
            raw: &'a [::core::primitive::u8],
        ) -> ::shardwise::__private::CodecResult<Self> {
            match raw {
                raw if raw == ::core::primitive::str::as_bytes("open") => {
                    ::core::result::Result::Ok(Self::Open)
                }
                raw if raw == ::core::primitive::str::as_bytes("shut_down") => {
                    ::core::result::Result::Ok(Self::ShutDown)
                }
                _ => {
                    ::core::result::Result::Err(
                        ::shardwise::__private::unknown_label("State"),
                    )
                }
            }
        }
        fn accepts(ty: &::shardwise::__private::Type) -> ::core::primitive::bool {
            ::shardwise::__private::accepts_label(ty)
        }
    }
    impl ::shardwise::entity::ColumnType for State {
        const DDL: &'static ::core::primitive::str = "text";
        const WIRE: ::shardwise::__private::Type = ::shardwise::__private::Type::TEXT;
        const BIND: &'static ::core::primitive::str = "";
        const READ: &'static ::core::primitive::str = "";
        const ENUMERATION: ::core::option::Option<
            &'static ::shardwise::schema::Enumeration,
        > = ::core::option::Option::Some(&ENUMERATION);
    }
    impl ::shardwise::entity::Element for State {
        const ARRAY_DDL: &'static ::core::primitive::str = "text[]";
        const ARRAY_WIRE: ::shardwise::__private::Type = ::shardwise::__private::Type::TEXT_ARRAY;
        const ARRAY_BIND: &'static ::core::primitive::str = "";
        const ARRAY_READ: &'static ::core::primitive::str = "";
    }
    impl ::shardwise::entity::NeverNull for State {}
};
