const _: () = {
    impl ::shardwise::__private::ToSql for FestivalId {
        fn to_sql(
            &self,
            __ty: &::shardwise::__private::Type,
            __out: &mut ::shardwise::__private::BytesMut,
        ) -> ::shardwise::__private::CodecResult<::shardwise::__private::IsNull> {
            ::shardwise::__private::ToSql::to_sql(&self.0, __ty, __out)
        }
        fn accepts(__ty: &::shardwise::__private::Type) -> ::core::primitive::bool {
            <Uuid as ::shardwise::__private::ToSql>::accepts(__ty)
        }
        fn to_sql_checked(
            &self,
            __ty: &::shardwise::__private::Type,
            __out: &mut ::shardwise::__private::BytesMut,
        ) -> ::shardwise::__private::CodecResult<::shardwise::__private::IsNull> {
            ::shardwise::__private::ToSql::to_sql_checked(&self.0, __ty, __out)
        }
    }
    impl<'a> ::shardwise::__private::FromSql<'a> for FestivalId {
        fn from_sql(
            __ty: &::shardwise::__private::Type,
            __raw: &'a [::core::primitive::u8],
        ) -> ::shardwise::__private::CodecResult<Self> {
            ::core::result::Result::map(
                <Uuid as ::shardwise::__private::FromSql<'a>>::from_sql(__ty, __raw),
                Self,
            )
        }
        fn accepts(__ty: &::shardwise::__private::Type) -> ::core::primitive::bool {
            <Uuid as ::shardwise::__private::FromSql<'a>>::accepts(__ty)
        }
    }
    impl ::shardwise::entity::ColumnType for FestivalId {
        const DDL: &'static ::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::DDL;
        const WIRE: ::shardwise::__private::Type = <Uuid as ::shardwise::entity::ColumnType>::WIRE;
        const BIND: &'static ::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::BIND;
        const READ: &'static ::core::primitive::str = <Uuid as ::shardwise::entity::ColumnType>::READ;
        const ENUMERATION: ::core::option::Option<
            &'static ::shardwise::schema::Enumeration,
        > = <Uuid as ::shardwise::entity::ColumnType>::ENUMERATION;
    }
    impl ::shardwise::entity::Newtype for FestivalId {
        type Inner = Uuid;
        fn inner(&self) -> &Uuid {
            &self.0
        }
    }
    impl ::shardwise::entity::NeverNull for FestivalId {}
};
