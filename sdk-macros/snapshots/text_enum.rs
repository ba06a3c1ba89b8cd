const _: () = {
    static ENUMERATION: ::shardwise::schema::Enumeration = ::shardwise::schema::Enumeration {
        name: "Tier",
        labels: &["regular", "back-stage", "vip"],
        native: false,
    };
    impl ::shardwise::__private::ToSql for Tier {
        fn to_sql(
            &self,
            _: &::shardwise::__private::Type,
            __out: &mut ::shardwise::__private::BytesMut,
        ) -> ::shardwise::__private::CodecResult<::shardwise::__private::IsNull> {
            let __label: &'static ::core::primitive::str = match self {
                Self::Regular => "regular",
                Self::BackStage => "back-stage",
                Self::Important => "vip",
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
    impl<'a> ::shardwise::__private::FromSql<'a> for Tier {
        fn from_sql(
            _: &::shardwise::__private::Type,
            __raw: &'a [::core::primitive::u8],
        ) -> ::shardwise::__private::CodecResult<Self> {
            match __raw {
                __raw if __raw == ::core::primitive::str::as_bytes("regular") => {
                    ::core::result::Result::Ok(Self::Regular)
                }
                __raw if __raw == ::core::primitive::str::as_bytes("back-stage") => {
                    ::core::result::Result::Ok(Self::BackStage)
                }
                __raw if __raw == ::core::primitive::str::as_bytes("vip") => {
                    ::core::result::Result::Ok(Self::Important)
                }
                _ => {
                    ::core::result::Result::Err(
                        ::shardwise::__private::unknown_label("Tier"),
                    )
                }
            }
        }
        fn accepts(__ty: &::shardwise::__private::Type) -> ::core::primitive::bool {
            ::shardwise::__private::accepts_label(__ty)
        }
    }
    impl ::shardwise::entity::ColumnType for Tier {
        const DDL: &'static ::core::primitive::str = "text";
        const WIRE: ::shardwise::__private::Type = ::shardwise::__private::Type::TEXT;
        const BIND: &'static ::core::primitive::str = "";
        const READ: &'static ::core::primitive::str = "";
        const ENUMERATION: ::core::option::Option<
            &'static ::shardwise::schema::Enumeration,
        > = ::core::option::Option::Some(&ENUMERATION);
    }
    impl ::shardwise::entity::Element for Tier {
        const ARRAY_DDL: &'static ::core::primitive::str = "text[]";
        const ARRAY_WIRE: ::shardwise::__private::Type = ::shardwise::__private::Type::TEXT_ARRAY;
        const ARRAY_BIND: &'static ::core::primitive::str = "";
        const ARRAY_READ: &'static ::core::primitive::str = "";
    }
    impl ::shardwise::entity::NeverNull for Tier {}
};
