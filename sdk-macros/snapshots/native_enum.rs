const _: () = {
    static ENUMERATION: ::shardwise::schema::Enumeration = ::shardwise::schema::Enumeration {
        name: "ticket_state",
        labels: &["issued", "scanned_once"],
        native: true,
    };
    impl ::shardwise::__private::ToSql for TicketState {
        fn to_sql(
            &self,
            _: &::shardwise::__private::Type,
            __out: &mut ::shardwise::__private::BytesMut,
        ) -> ::shardwise::__private::CodecResult<::shardwise::__private::IsNull> {
            let __label: &'static ::core::primitive::str = match self {
                Self::Issued => "issued",
                Self::ScannedOnce => "scanned_once",
            };
            ::shardwise::__private::write_label(__label, __out)
        }
        fn accepts(__ty: &::shardwise::__private::Type) -> ::core::primitive::bool {
            ::shardwise::__private::accepts_label(__ty)
        }
        fn to_sql_checked(
            &self,
            __ty: &::shardwise::__private::Type,
            __out: &mut ::shardwise::__private::BytesMut,
        ) -> ::shardwise::__private::CodecResult<::shardwise::__private::IsNull> {
            ::shardwise::__private::checked(self, __ty, __out)
        }
    }
    impl<'a> ::shardwise::__private::FromSql<'a> for TicketState {
        fn from_sql(
            _: &::shardwise::__private::Type,
            __raw: &'a [::core::primitive::u8],
        ) -> ::shardwise::__private::CodecResult<Self> {
            match __raw {
                __raw if __raw == ::core::primitive::str::as_bytes("issued") => {
                    ::core::result::Result::Ok(Self::Issued)
                }
                __raw if __raw == ::core::primitive::str::as_bytes("scanned_once") => {
                    ::core::result::Result::Ok(Self::ScannedOnce)
                }
                _ => {
                    ::core::result::Result::Err(
                        ::shardwise::__private::unknown_label("TicketState"),
                    )
                }
            }
        }
        fn accepts(__ty: &::shardwise::__private::Type) -> ::core::primitive::bool {
            ::shardwise::__private::accepts_label(__ty)
        }
    }
    impl ::shardwise::entity::ColumnType for TicketState {
        const DDL: &'static ::core::primitive::str = "\"ticket_state\"";
        const WIRE: ::shardwise::__private::Type = ::shardwise::__private::Type::TEXT;
        const BIND: &'static ::core::primitive::str = "::text::\"ticket_state\"";
        const READ: &'static ::core::primitive::str = "::text";
        const ENUMERATION: ::core::option::Option<
            &'static ::shardwise::schema::Enumeration,
        > = ::core::option::Option::Some(&ENUMERATION);
    }
    impl ::shardwise::entity::Element for TicketState {
        const ARRAY_DDL: &'static ::core::primitive::str = "\"ticket_state\"[]";
        const ARRAY_WIRE: ::shardwise::__private::Type = ::shardwise::__private::Type::TEXT_ARRAY;
        const ARRAY_BIND: &'static ::core::primitive::str = "::text[]::\"ticket_state\"[]";
        const ARRAY_READ: &'static ::core::primitive::str = "::text[]";
    }
    impl ::shardwise::entity::NeverNull for TicketState {}
};
