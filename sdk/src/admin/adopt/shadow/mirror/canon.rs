//! An answer as bytes: the same for the same values, floats bit by bit, whatever the order of rows and of maps. Pure.

use std::fmt;

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// The rows of an answer, in an order of their own; an answer that is no list is one row.
pub(super) fn rows(answer: &impl Serialize) -> Option<Vec<Vec<u8>>> {
    let mut writer = Writer::default();
    answer.serialize(&mut writer).ok()?;
    let Some(starts) = writer.rows else { return Some(vec![writer.bytes]) };
    let ends = starts.iter().skip(1).copied().chain([writer.bytes.len()]);
    let mut rows: Vec<Vec<u8>> =
        starts.iter().zip(ends).filter_map(|(start, end)| Some(writer.bytes.get(*start..end)?.to_vec())).collect();
    rows.sort_unstable();
    Some(rows)
}

/// One row.
pub(super) fn row(row: &impl Serialize) -> Option<Vec<u8>> {
    let mut writer = Writer { depth: 1, ..Writer::default() };
    row.serialize(&mut writer).ok()?;
    Some(writer.bytes)
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    depth: usize,
    /// Where the rows begin, where the whole is a list.
    rows: Option<Vec<usize>>,
}

impl Writer {
    /// A value, with its kind and length before it: so no two values run into each other.
    fn put(&mut self, kind: u8, value: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&value.len().to_be_bytes());
        self.bytes.extend_from_slice(value);
    }

    fn open(&mut self, kind: u8) {
        self.put(kind, &[]);
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.bytes.push(b')');
    }
}

/// What can't be written so.
#[derive(Debug)]
pub(super) struct Unwritable;

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer can't be serialized")
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Written = Result<(), Unwritable>;

macro_rules! numbers {
    ($($method:ident $type:ty),+) => {$(
        fn $method(self, value: $type) -> Written {
            self.put(b'i', &value.to_be_bytes());
            Ok(())
        }
    )+};
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = List<'a>;
    type SerializeStructVariant = List<'a>;

    numbers!(
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128
    );

    fn serialize_bool(self, value: bool) -> Written {
        self.put(b'b', &[u8::from(value)]);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Written {
        self.put(b'f', &value.to_bits().to_be_bytes());
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Written {
        self.put(b'f', &value.to_bits().to_be_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Written {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Written {
        self.put(b's', value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Written {
        self.put(b'x', value);
        Ok(())
    }

    fn serialize_none(self) -> Written {
        self.put(b'0', &[]);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        self.open(b'1');
        value.serialize(&mut *self)?;
        self.close();
        Ok(())
    }

    fn serialize_unit(self) -> Written {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Written {
        self.serialize_str(name)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        self.open(b'v');
        self.put(b's', variant.as_bytes());
        value.serialize(&mut *self)?;
        self.close();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, Unwritable> {
        if self.depth == 0 {
            self.rows = Some(Vec::new());
            self.depth = 1;
            return Ok(List { writer: self, is_whole: true });
        }
        self.open(b'(');
        Ok(List { writer: self, is_whole: false })
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'a>, Unwritable> {
        self.open(b'(');
        Ok(List { writer: self, is_whole: false })
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<List<'a>, Unwritable> {
        self.serialize_tuple(length)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<List<'a>, Unwritable> {
        self.put(b's', variant.as_bytes());
        self.serialize_tuple(length)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'a>, Unwritable> {
        Ok(Entries { writer: self, entries: Vec::new(), key: Vec::new() })
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<List<'a>, Unwritable> {
        self.serialize_tuple(length)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        number: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<List<'a>, Unwritable> {
        self.serialize_tuple_variant(name, number, variant, length)
    }
}

/// Values in their order; of the whole, rows in any.
struct List<'a> {
    writer: &'a mut Writer,
    is_whole: bool,
}

impl List<'_> {
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        if self.is_whole
            && let Some(rows) = &mut self.writer.rows
        {
            rows.push(self.writer.bytes.len());
        }
        value.serialize(&mut *self.writer)
    }

    fn done(self) -> Written {
        if !self.is_whole {
            self.writer.close();
        }
        Ok(())
    }
}

macro_rules! values {
    ($way:ident: $($trait:ident),+) => {$(
        impl $trait for List<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn $way<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.value(value)
            }

            fn end(self) -> Written {
                self.done()
            }
        }
    )+};
}
values!(serialize_element: SerializeSeq, SerializeTuple);
values!(serialize_field: SerializeTupleStruct, SerializeTupleVariant);

macro_rules! named_fields {
    ($($trait:ident),+) => {$(
        impl $trait for List<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
                self.writer.put(b'n', name.as_bytes());
                self.value(value)
            }

            fn end(self) -> Written {
                self.done()
            }
        }
    )+};
}
named_fields!(SerializeStruct, SerializeStructVariant);

/// Of a map, whose order may be another one each time.
struct Entries<'a> {
    writer: &'a mut Writer,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    key: Vec<u8>,
}

impl SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        self.key = row(&Whole(key)).ok_or(Unwritable)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        let value = row(&Whole(value)).ok_or(Unwritable)?;
        self.entries.push((std::mem::take(&mut self.key), value));
        Ok(())
    }

    fn end(mut self) -> Written {
        self.entries.sort_unstable();
        self.writer.open(b'{');
        for (key, value) in self.entries {
            self.writer.put(b'k', &key);
            self.writer.put(b'=', &value);
        }
        self.writer.close();
        Ok(())
    }
}

/// What may have no size.
struct Whole<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Serialize for Whole<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Serialize;

    use super::rows;

    #[derive(Serialize, Clone)]
    struct Order {
        id: u32,
        note: Option<&'static str>,
        price: f64,
        tags: Vec<&'static str>,
    }

    fn order(id: u32, note: Option<&'static str>, price: f64, tags: &[&'static str]) -> Order {
        Order { id, note, price, tags: tags.to_vec() }
    }

    fn are_same(one: &impl Serialize, other: &impl Serialize) -> bool {
        rows(one).expect("an answer") == rows(other).expect("an answer")
    }

    #[test]
    fn rows_have_no_order_and_values_are_exact() {
        let one = order(1, None, 0.1, &["a", "b"]);
        let other = order(2, Some(""), 0.1, &[]);
        assert!(are_same(&vec![one.clone(), other.clone()], &vec![other.clone(), one.clone()]));
        assert!(!are_same(
            &vec![one.clone(), one.clone(), other.clone()],
            &vec![one.clone(), other.clone(), other.clone()]
        ));
        for changed in [
            order(1, Some(""), 0.1, &["a", "b"]),
            order(1, None, 0.1 + f64::EPSILON / 8.0, &["a", "b"]),
            order(1, None, 0.1, &["b", "a"]),
            order(1, None, 0.1, &["ab"]),
        ] {
            assert!(!are_same(&vec![one.clone()], &vec![changed]));
        }
        assert!(!are_same(&0.0f64, &-0.0f64) && are_same(&f64::NAN, &f64::NAN));
        assert!(!are_same(&Some(1), &None::<i32>) && are_same(&Vec::<u8>::new(), &Vec::<u8>::new()));
        assert!(!are_same(&("a", "bc"), &("ab", "c")));
    }

    #[test]
    fn maps_have_no_order_either() {
        let map = |pairs: &[(u32, f32)]| pairs.iter().copied().collect::<HashMap<u32, f32>>();
        let all: Vec<(u32, f32)> = (0..50u16).map(|nth| (u32::from(nth), f32::from(nth))).collect();
        let backwards: Vec<(u32, f32)> = all.iter().rev().copied().collect();
        assert!(are_same(&map(&all), &map(&backwards)));
        assert!(!are_same(&map(&all), &map(&all[1..])));
    }
}
