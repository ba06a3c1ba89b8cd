const _: () = {
    impl ::shardwise::__private::ToSql for FestivalId {
        fn to_sql(
            &self,
            ty: &::shardwise::__private::Type,
            out: &mut ::shardwise::__private::BytesMut,
        ) -> ::shardwise::__private::CodecResult<::shardwise::__private::IsNull> {
            ::shardwise::__private::ToSql::to_sql(&self.0, ty, out)
        }
        fn accepts(ty: &::shardwise::__private::Type) -> ::core::primitive::bool {
            <Uuid as ::shardwise::__private::ToSql>::accepts(ty)
        }
        fn to_sql_checked(
            &self,
            ty: &::shardwise::__private::Type,
            out: &mut ::shardwise::__private::BytesMut,
        ) -> ::shardwise::__private::CodecResult<::shardwise::__private::IsNull> {
            ::shardwise::__private::ToSql::to_sql_checked(&self.0, ty, out)
        }
    }
    impl<'a> ::shardwise::__private::FromSql<'a> for FestivalId {
        fn from_sql(
            ty: &::shardwise::__private::Type,
            raw: &'a [::core::primitive::u8],
        ) -> ::shardwise::__private::CodecResult<Self> {
            ::core::result::Result::map(
                <Uuid as ::shardwise::__private::FromSql<'a>>::from_sql(ty, raw),
                Self,
            )
        }
        fn accepts(ty: &::shardwise::__private::Type) -> ::core::primitive::bool {
            <Uuid as ::shardwise::__private::FromSql<'a>>::accepts(ty)
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
