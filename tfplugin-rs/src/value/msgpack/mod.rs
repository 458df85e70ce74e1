//! Values as the wire carries them: msgpack directed by a type, with extensions for what is unknown.
//!
//! Core always sends this form, and it is the only one that can say "unknown". The facts are those of Terraform's
//! object wire format and of its type system's own msgpack encoder.

mod decode;
mod encode;

pub use decode::{DecodeError, decode};
pub use encode::{EncodeError, encode};

/// The extension type of an unknown value of which something is known.
const REFINED: i8 = 12;
/// What core writes for an unknown value of which nothing is known: extension type 0, one zero byte.
const UNKNOWN: [u8; 3] = [0xd4, 0x00, 0x00];
/// Bodies of refinements longer than this are refused by core.
const REFINEMENT_LIMIT: usize = 1024;

/// The keys of a refinement's body.
mod key {
    pub(super) const NULLNESS: i64 = 1;
    pub(super) const PREFIX: i64 = 2;
    pub(super) const MINIMUM: i64 = 3;
    pub(super) const MAXIMUM: i64 = 4;
    pub(super) const MIN_LENGTH: i64 = 5;
    pub(super) const MAX_LENGTH: i64 = 6;
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::value::samples::{typed_values, wire_type};
    use crate::value::{Refinement, Type, Value};
    use proptest::prelude::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: String = hex.chars().filter(char::is_ascii_hexdigit).collect();
        (0..digits.len() / 2)
            .map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).unwrap())
            .collect()
    }

    fn text(text: &str) -> Value {
        Value::from(text)
    }

    /// Captured from Terraform 1.11.4: every kind of value in one configuration.
    #[test]
    fn a_configuration_of_terraform_is_read_and_written_back_byte_by_byte() {
        let wire = bytes(
            "88 a3626c6b 91 81 a178 a131
             a364796e 92 c439 5b226f626a656374222c7b2261223a226e756d626572222c2262223a5b227475706c65222c5b22626f6f6c
             222c22737472696e67225d5d7d5d 82 a161 01 a162 92 c3 a178
             a26964 c0
             a46e616d65 c7090c 82 01c2 02a47072652d
             a66e6573746564 91 82 a161 a131 a162 c0
             a36e756d a3302e31
             a3736574 93 a161 a162 d40000
             a2776f a6736563726574",
        );
        let object = Type::Object(
            [
                ("a".to_owned(), Type::Number),
                ("b".to_owned(), Type::Tuple(vec![Type::Bool, Type::String])),
            ]
            .into(),
        );
        let held = Value::object([
            ("a", Value::from(1)),
            ("b", Value::List(vec![Value::Bool(true), text("x")])),
        ]);
        let refined = Refinement {
            not_null: true,
            prefix: Some("pre-".to_owned()),
            ..Refinement::default()
        };
        let expected = Value::object([
            ("blk", Value::List(vec![Value::object([("x", text("1"))])])),
            ("dyn", Value::Dynamic(Box::new((object, held)))),
            ("id", Value::Null),
            ("name", Value::Unknown(refined)),
            (
                "nested",
                Value::List(vec![Value::object([("a", text("1")), ("b", Value::Null)])]),
            ),
            ("num", Value::Number("0.1".parse().unwrap())),
            (
                "set",
                Value::Set(vec![text("a"), text("b"), Value::unknown()]),
            ),
            ("wo", text("secret")),
        ]);
        let value = decode(&wire_type(), &wire).unwrap();
        assert_eq!(value, expected);
        assert_eq!(encode(&wire_type(), &value).unwrap(), wire);
    }

    /// Captured from Terraform 1.11.4: unset attributes, empty blocks, thirty digits, a composed letter.
    #[test]
    fn unset_attributes_are_written_too_and_long_numbers_keep_their_digits() {
        let digits: String = "123456789012345678901234567890"
            .bytes()
            .map(|digit| format!("{digit:02x}"))
            .collect();
        let wire = bytes(&format!(
            "88 a3626c6b 90 a364796e c0 a26964 c0 a46e616d65 a2c3a9 a66e6573746564 c0
             a36e756d be{digits} a3736574 c0 a2776f c0"
        ));
        let value = decode(&wire_type(), &wire).unwrap();
        assert_eq!(value.get("name"), &text("é"));
        assert_eq!(
            value.get("num").to_string_of_number(),
            "123456789012345678901234567890"
        );
        assert_eq!(encode(&wire_type(), &value).unwrap(), wire);
    }

    #[test]
    fn a_missing_attribute_is_written_as_nil() {
        let kind =
            Type::Object([("a".to_owned(), Type::String), ("b".to_owned(), Type::Bool)].into());
        let value = Value::object([("b", Value::Bool(false))]);
        assert_eq!(encode(&kind, &value).unwrap(), bytes("82 a161 c0 a162 c2"));
    }

    /// Captured from Terraform 1.11.4.
    #[test]
    fn small_vectors_are_read_and_written_back() {
        let not_null = Refinement {
            not_null: true,
            ..Refinement::default()
        };
        let nothing = Value::Map(std::collections::BTreeMap::new());
        for (kind, hex, value) in [
            (
                Type::Number,
                "b3 39323233333732303336383534373735383038",
                Value::Number("9223372036854775808".parse().unwrap()),
            ),
            (Type::String, "c7030c 81 01c2", Value::Unknown(not_null)),
            (Type::String, "c0", Value::Null),
            (Type::Object([].into()), "80", nothing),
            (
                Type::Number,
                "cb3fe0000000000000",
                Value::Number("0.5".parse().unwrap()),
            ),
            (Type::Dynamic, "d40000", Value::unknown()),
        ] {
            assert_eq!(decode(&kind, &bytes(hex)).unwrap(), value, "{hex}");
            assert_eq!(encode(&kind, &value).unwrap(), bytes(hex), "{hex}");
        }
    }

    #[test]
    fn numbers_are_read_in_every_form() {
        for (hex, expected) in [
            ("05", "5"),
            ("ff", "-1"),
            ("cc ff", "255"),
            ("cd ffff", "65535"),
            ("ce ffffffff", "4294967295"),
            ("cf ffffffffffffffff", "18446744073709551615"),
            ("d0 80", "-128"),
            ("d1 8000", "-32768"),
            ("d2 80000000", "-2147483648"),
            ("d3 8000000000000000", "-9223372036854775808"),
            ("ca 3f000000", "0.5"),
            ("cb 3fb999999999999a", "0.1"),
            ("a3 312e30", "1"),
        ] {
            assert_eq!(
                decode(&Type::Number, &bytes(hex))
                    .unwrap()
                    .to_string_of_number(),
                expected,
                "{hex}"
            );
        }
    }

    #[test]
    fn any_extension_is_unknown_and_bad_refinements_are_passed_over() {
        for hex in [
            "d40000",
            "d40700",
            "d50c0102",
            "c7030c 01c2c0",
            "c7000c",
            "c8000100 ff",
            "c9000000010c80",
        ] {
            assert_eq!(
                decode(&Type::String, &bytes(hex)).unwrap(),
                Value::unknown(),
                "{hex}"
            );
        }
    }

    #[test]
    fn refinements_of_numbers_and_lengths_survive() {
        let value = Value::Unknown(Refinement {
            minimum: Some(("0.1".parse().unwrap(), true)),
            maximum: Some((10_i64.into(), false)),
            ..Refinement::default()
        });
        assert_eq!(
            decode(&Type::Number, &encode(&Type::Number, &value).unwrap()).unwrap(),
            value
        );
        let kind = Type::List(Box::new(Type::String));
        let value = Value::Unknown(Refinement {
            not_null: true,
            min_length: Some(1),
            max_length: Some(3),
            ..Refinement::default()
        });
        assert_eq!(
            decode(&kind, &encode(&kind, &value).unwrap()).unwrap(),
            value
        );
    }

    #[test]
    fn text_is_normalised_and_sets_lose_their_duplicates() {
        let decomposed = bytes("a3 65cc81");
        assert_eq!(decode(&Type::String, &decomposed).unwrap(), text("é"));
        let kind = Type::Set(Box::new(Type::String));
        assert_eq!(
            decode(&kind, &bytes("93 a161 a161 a162")).unwrap(),
            Value::Set(vec![text("a"), text("b")])
        );
        let nulls = decode(&kind, &bytes("92 d40000 d40000")).unwrap();
        assert_eq!(
            nulls.as_items().unwrap().len(),
            2,
            "two unknown elements may turn out to differ"
        );
    }

    #[test]
    fn a_mistake_is_named_by_its_path() {
        let kind = Type::Object([("a".to_owned(), Type::List(Box::new(Type::Bool)))].into());
        let error = decode(&kind, &bytes("81 a161 92 c3 a178")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`a[1]` should be \"bool\", and the message has a string there"
        );
    }

    #[test]
    fn hostile_lengths_and_depths_are_refused_at_once() {
        let list = Type::List(Box::new(Type::String));
        for hex in [
            "dd ffffffff",
            "dc ffff c0",
            "db ffffffff 61",
            "df ffffffff",
            "c6 ffffffff",
            "c9 ffffffff00",
        ] {
            for kind in [
                &list,
                &Type::String,
                &Type::Dynamic,
                &Type::Map(Box::new(Type::String)),
            ] {
                assert!(decode(kind, &bytes(hex)).is_err(), "{hex} as {kind:?}");
            }
        }
        let dynamic_in_dynamic = bytes("92 c409 2264796e616d696322").repeat(100_000);
        assert!(decode(&Type::Dynamic, &dynamic_in_dynamic).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back((kind, value) in typed_values()) {
            let wire = encode(&kind, &value).unwrap();
            prop_assert_eq!(decode(&kind, &wire).unwrap(), value);
        }

        #[test]
        fn the_order_of_a_set_does_not_show(mut items in prop::collection::vec("[a-c]{0,2}", 0..6)) {
            items.sort();
            items.dedup();
            let kind = Type::Set(Box::new(Type::String));
            let forward = Value::Set(items.iter().map(|item| text(item)).collect());
            let backward = Value::Set(items.iter().rev().map(|item| text(item)).collect());
            prop_assert_eq!(encode(&kind, &forward).unwrap(), encode(&kind, &backward).unwrap());
        }

        #[test]
        fn arbitrary_bytes_never_panic(input in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&wire_type(), &input);
            let _ = decode(&Type::Dynamic, &input);
        }

        #[test]
        fn spoiled_messages_never_panic((kind, value) in typed_values(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut wire = encode(&kind, &value).unwrap();
            let index = at.index(wire.len());
            wire[index] = byte;
            let _ = decode(&kind, &wire);
        }
    }

    impl Value {
        fn to_string_of_number(&self) -> String {
            match self {
                Self::Number(number) => number.to_string(),
                other => panic!("no number: {other:?}"),
            }
        }
    }
}
