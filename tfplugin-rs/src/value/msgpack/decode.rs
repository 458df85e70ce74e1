//! Reads values. Whatever the bytes claim, no more memory is taken than they have, and no deeper nesting followed than
//! anybody writes.

use std::collections::{BTreeMap, HashSet};

use rmp::Marker;
use unicode_normalization::UnicodeNormalization;

use super::{REFINED, REFINEMENT_LIMIT, encode, key};
use crate::value::{Number, Path, Refinement, Type, Value};

/// Types that nest more deeply than this are refused.
const DEPTH_LIMIT: u32 = 128;

/// The bytes do not hold a value of the type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The message ends in the middle of a value, or claims to be longer than it is.
    #[error("the message ends in the middle of `{0}`")]
    End(Path),
    /// The message goes on after the value.
    #[error("the message goes on after its value")]
    Rest,
    /// Another kind of value than the schema has there.
    #[error("`{path}` should be {expected}, and the message has {found} there")]
    Mismatch {
        /// Where in the value.
        path: Path,
        /// The type that the schema has there.
        expected: String,
        /// What the message has there.
        found: &'static str,
    },
    /// An attribute that the schema does not have.
    #[error("`{0}` is not in the schema")]
    Surplus(Path),
    /// Something that no value may be.
    #[error("`{path}`: {problem}")]
    Invalid {
        /// Where in the value.
        path: Path,
        /// What is wrong.
        problem: String,
    },
}

/// The value of a type from its bytes. Attributes that are missing become null.
///
/// # Errors
/// When the bytes are not exactly one value of the type.
pub fn decode(kind: &Type, bytes: &[u8]) -> Result<Value, DecodeError> {
    let mut reader = Reader {
        rest: bytes,
        depth: 0,
    };
    let value = reader.value(kind, &Path::root())?;
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(DecodeError::Rest)
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    depth: u32,
}

/// What one marker begins.
enum Token<'a> {
    Nil,
    Bool(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Text(&'a [u8]),
    Binary(&'a [u8]),
    Array(usize),
    Map(usize),
    Extension(i8, &'a [u8]),
}

impl Token<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Nil => "null",
            Self::Bool(_) => "a bool",
            Self::Integer(_) | Self::Unsigned(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::Binary(_) => "bytes",
            Self::Array(_) => "a list",
            Self::Map(_) => "a map",
            Self::Extension(..) => "an unknown value",
        }
    }
}

impl<'a> Reader<'a> {
    fn value(&mut self, kind: &Type, path: &Path) -> Result<Value, DecodeError> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(invalid(path, "nested too deeply"));
        }
        let token = self.token(path)?;
        let value = match (kind, token) {
            (_, Token::Nil) => Value::Null,
            (_, Token::Extension(REFINED, body)) => {
                Value::Unknown(refinement(body).unwrap_or_default())
            }
            (_, Token::Extension(..)) => Value::unknown(),
            (Type::Bool, Token::Bool(truth)) => Value::Bool(truth),
            (Type::Number, Token::Integer(number)) => Value::Number(number.into()),
            (Type::Number, Token::Unsigned(number)) => Value::Number(number.into()),
            (Type::Number, Token::Float(number)) => Value::Number(
                Number::from_f64(number).ok_or_else(|| invalid(path, "not a finite number"))?,
            ),
            (Type::Number, Token::Text(digits)) => Value::Number(
                utf8(digits, path)?
                    .parse()
                    .map_err(|error| invalid(path, format!("{error}")))?,
            ),
            (Type::String, Token::Text(text)) => Value::String(utf8(text, path)?.nfc().collect()),
            (Type::List(element), Token::Array(length)) => {
                Value::List(self.items(element, length, path)?)
            }
            (Type::Set(element), Token::Array(length)) => {
                Value::Set(distinct(element, self.items(element, length, path)?))
            }
            (Type::Tuple(kinds), Token::Array(length)) if kinds.len() == length => kinds
                .iter()
                .enumerate()
                .map(|(index, kind)| self.value(kind, &path.index(index)))
                .collect::<Result<_, _>>()
                .map(Value::List)?,
            (Type::Map(element), Token::Map(length)) => {
                Value::Map(self.map(element, length, path)?)
            }
            (Type::Object(attributes), Token::Map(length)) => {
                Value::Map(self.object(attributes, length, path)?)
            }
            (Type::Dynamic, Token::Array(2)) => self.dynamic(path)?,
            (_, token) => {
                return Err(DecodeError::Mismatch {
                    path: path.clone(),
                    expected: kind.to_json().to_string(),
                    found: token.name(),
                });
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    fn items(
        &mut self,
        element: &Type,
        length: usize,
        path: &Path,
    ) -> Result<Vec<Value>, DecodeError> {
        (0..length)
            .map(|index| self.value(element, &path.index(index)))
            .collect()
    }

    fn map(
        &mut self,
        element: &Type,
        length: usize,
        path: &Path,
    ) -> Result<BTreeMap<String, Value>, DecodeError> {
        (0..length)
            .map(|_| {
                let key: String = self.text(path)?.nfc().collect();
                let value = self.value(element, &path.key(&key))?;
                Ok((key, value))
            })
            .collect()
    }

    fn object(
        &mut self,
        attributes: &BTreeMap<String, Type>,
        length: usize,
        path: &Path,
    ) -> Result<BTreeMap<String, Value>, DecodeError> {
        let mut members: BTreeMap<String, Value> = attributes
            .keys()
            .map(|name| (name.clone(), Value::Null))
            .collect();
        for _ in 0..length {
            let name = self.text(path)?;
            let path = path.then(name);
            let kind = attributes
                .get(name)
                .ok_or_else(|| DecodeError::Surplus(path.clone()))?;
            members.insert(name.to_owned(), self.value(kind, &path)?);
        }
        Ok(members)
    }

    fn dynamic(&mut self, path: &Path) -> Result<Value, DecodeError> {
        let (Token::Binary(json) | Token::Text(json)) = self.token(path)? else {
            return Err(invalid(
                path,
                "a dynamic value does not begin with its type",
            ));
        };
        let json =
            serde_json::from_slice(json).map_err(|error| invalid(path, error.to_string()))?;
        let kind = Type::from_json(&json).map_err(|error| invalid(path, error.to_string()))?;
        let value = self.value(&kind, path)?;
        Ok(Value::Dynamic(Box::new((kind, value))))
    }

    fn text(&mut self, path: &Path) -> Result<&'a str, DecodeError> {
        match self.token(path)? {
            Token::Text(text) => utf8(text, path),
            _ => Err(invalid(path, "a key is no string")),
        }
    }

    fn token(&mut self, path: &Path) -> Result<Token<'a>, DecodeError> {
        let marker = Marker::from_u8(self.number::<1>(path)?[0]);
        Ok(match marker {
            Marker::Null => Token::Nil,
            Marker::False => Token::Bool(false),
            Marker::True => Token::Bool(true),
            Marker::FixPos(number) => Token::Unsigned(number.into()),
            Marker::FixNeg(number) => Token::Integer(number.into()),
            Marker::U8 => Token::Unsigned(u8::from_be_bytes(self.number(path)?).into()),
            Marker::U16 => Token::Unsigned(u16::from_be_bytes(self.number(path)?).into()),
            Marker::U32 => Token::Unsigned(u32::from_be_bytes(self.number(path)?).into()),
            Marker::U64 => Token::Unsigned(u64::from_be_bytes(self.number(path)?)),
            Marker::I8 => Token::Integer(i8::from_be_bytes(self.number(path)?).into()),
            Marker::I16 => Token::Integer(i16::from_be_bytes(self.number(path)?).into()),
            Marker::I32 => Token::Integer(i32::from_be_bytes(self.number(path)?).into()),
            Marker::I64 => Token::Integer(i64::from_be_bytes(self.number(path)?)),
            Marker::F32 => Token::Float(f32::from_be_bytes(self.number(path)?).into()),
            Marker::F64 => Token::Float(f64::from_be_bytes(self.number(path)?)),
            Marker::FixStr(length) => Token::Text(self.bytes(length.into(), path)?),
            Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                let length = self.length(marker, path)?;
                Token::Text(self.bytes(length, path)?)
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                let length = self.length(marker, path)?;
                Token::Binary(self.bytes(length, path)?)
            }
            Marker::FixArray(length) => Token::Array(self.claim(length.into(), 1, path)?),
            Marker::Array16 | Marker::Array32 => {
                let length = self.length(marker, path)?;
                Token::Array(self.claim(length, 1, path)?)
            }
            Marker::FixMap(length) => Token::Map(self.claim(length.into(), 2, path)?),
            Marker::Map16 | Marker::Map32 => {
                let length = self.length(marker, path)?;
                Token::Map(self.claim(length, 2, path)?)
            }
            Marker::FixExt1 => self.extension(1, path)?,
            Marker::FixExt2 => self.extension(2, path)?,
            Marker::FixExt4 => self.extension(4, path)?,
            Marker::FixExt8 => self.extension(8, path)?,
            Marker::FixExt16 => self.extension(16, path)?,
            Marker::Ext8 | Marker::Ext16 | Marker::Ext32 => {
                let length = self.length(marker, path)?;
                self.extension(length, path)?
            }
            Marker::Reserved => return Err(invalid(path, "a byte that msgpack does not use")),
        })
    }

    fn length(&mut self, marker: Marker, path: &Path) -> Result<usize, DecodeError> {
        let length = match marker {
            Marker::Str8 | Marker::Bin8 | Marker::Ext8 => {
                u8::from_be_bytes(self.number(path)?).into()
            }
            Marker::Str16 | Marker::Bin16 | Marker::Ext16 | Marker::Array16 | Marker::Map16 => {
                u16::from_be_bytes(self.number(path)?).into()
            }
            _ => u32::from_be_bytes(self.number(path)?),
        };
        usize::try_from(length).map_err(|_| DecodeError::End(path.clone()))
    }

    /// Believes a number of elements only if the message has the bytes for them.
    fn claim(&self, length: usize, least: usize, path: &Path) -> Result<usize, DecodeError> {
        if length.saturating_mul(least) > self.rest.len() {
            return Err(DecodeError::End(path.clone()));
        }
        Ok(length)
    }

    fn extension(&mut self, length: usize, path: &Path) -> Result<Token<'a>, DecodeError> {
        let kind = i8::from_be_bytes(self.number(path)?);
        Ok(Token::Extension(kind, self.bytes(length, path)?))
    }

    fn number<const N: usize>(&mut self, path: &Path) -> Result<[u8; N], DecodeError> {
        let (number, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| DecodeError::End(path.clone()))?;
        self.rest = rest;
        Ok(*number)
    }

    fn bytes(&mut self, length: usize, path: &Path) -> Result<&'a [u8], DecodeError> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| DecodeError::End(path.clone()))?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// What is known of an unknown value. `None` where that cannot be read, which is no harm: it says less than it could.
fn refinement(body: &[u8]) -> Option<Refinement> {
    if body.len() > REFINEMENT_LIMIT {
        return None;
    }
    let root = Path::root();
    let mut reader = Reader {
        rest: body,
        depth: 0,
    };
    let Ok(Token::Map(length)) = reader.token(&root) else {
        return None;
    };
    let mut refinement = Refinement::default();
    for _ in 0..length {
        let key = match reader.token(&root).ok()? {
            Token::Unsigned(key) => i64::try_from(key).ok()?,
            Token::Integer(key) => key,
            _ => return None,
        };
        let bound = Type::Tuple(vec![Type::Number, Type::Bool]);
        match key {
            key::NULLNESS => {
                refinement.not_null = matches!(reader.token(&root).ok()?, Token::Bool(false));
            }
            key::PREFIX => refinement.prefix = Some(reader.text(&root).ok()?.nfc().collect()),
            key::MINIMUM => refinement.minimum = Some(limit(&reader.value(&bound, &root).ok()?)?),
            key::MAXIMUM => refinement.maximum = Some(limit(&reader.value(&bound, &root).ok()?)?),
            key::MIN_LENGTH => refinement.min_length = Some(count(&reader.token(&root).ok()?)?),
            key::MAX_LENGTH => refinement.max_length = Some(count(&reader.token(&root).ok()?)?),
            // A kind of refinement that came later; what was read so far still holds.
            _ => return Some(refinement),
        }
    }
    Some(refinement)
}

fn limit(bound: &Value) -> Option<(Number, bool)> {
    match bound.as_items()? {
        [Value::Number(number), Value::Bool(inclusive)] => Some((number.clone(), *inclusive)),
        _ => None,
    }
}

fn count(token: &Token<'_>) -> Option<u64> {
    match token {
        Token::Unsigned(count) => Some(*count),
        Token::Integer(count) => u64::try_from(*count).ok(),
        _ => None,
    }
}

/// The elements, each once. Those that are not wholly known may turn out to differ, and are all kept.
fn distinct(element: &Type, items: Vec<Value>) -> Vec<Value> {
    let mut seen = HashSet::new();
    items
        .into_iter()
        .filter(|item| {
            !item.is_wholly_known()
                || encode(element, item).map_or(true, |bytes| seen.insert(bytes))
        })
        .collect()
}

fn utf8<'a>(bytes: &'a [u8], path: &Path) -> Result<&'a str, DecodeError> {
    std::str::from_utf8(bytes).map_err(|_| invalid(path, "text that is not UTF-8"))
}

fn invalid(path: &Path, problem: impl Into<String>) -> DecodeError {
    DecodeError::Invalid {
        path: path.clone(),
        problem: problem.into(),
    }
}
