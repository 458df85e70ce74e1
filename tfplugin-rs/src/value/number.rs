//! Exact numbers, as Terraform has them: `0.1` is one tenth, and 30 digits keep all 30.

use std::fmt;
use std::str::FromStr;

use bigdecimal::{BigDecimal, FromPrimitive, ToPrimitive};

/// An exact decimal number. Equal values are equal, however they were written (`1.0` and `1`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(BigDecimal);

/// The text is no number, or one of a size that nobody means.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a number that Terraform can carry")]
pub struct NumberError(String);

/// Terraform's own numbers have 512 bits of mantissa; this bound keeps a hostile exponent
/// from asking for gigabytes of zeros.
const MAX_EXPONENT: i64 = 4096;
/// More digits than that bound allows, and a sign, a point and an exponent.
const MAX_TEXT: usize = 2 * 4096;

impl Number {
    /// The number as an integer, when it is one and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if self.0.is_integer() {
            self.0.to_i64()
        } else {
            None
        }
    }

    /// The binary number that stands for exactly this value, where there is one.
    #[must_use]
    pub fn as_exact_f64(&self) -> Option<f64> {
        let float = self.0.to_f64().filter(|float| float.is_finite())?;
        (BigDecimal::from_f64(float)? == self.0).then_some(float)
    }

    /// The number of a binary float: exactly its value where that is whole, and else the shortest decimal that reads
    /// back as the same float. This is how Terraform compares them, and CLIs before 1.9 send large whole numbers as
    /// floats. `None` for infinities and NaN.
    #[must_use]
    pub fn from_f64(float: f64) -> Option<Self> {
        if !float.is_finite() {
            return None;
        }
        if float.fract() == 0.0 {
            return BigDecimal::from_f64(float).map(|number| Self(number.normalized()));
        }
        float.to_string().parse().ok()
    }
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NumberError(text.chars().take(64).collect());
        if text.len() > MAX_TEXT {
            return Err(error());
        }
        let number = BigDecimal::from_str(text).map_err(|_| error())?;
        let (_, scale) = number.as_bigint_and_exponent();
        if scale.abs() > MAX_EXPONENT {
            return Err(error());
        }
        Ok(Self(number.normalized()))
    }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self(BigDecimal::from(integer).normalized())
    }
}

impl From<u64> for Number {
    fn from(integer: u64) -> Self {
        Self(BigDecimal::from(integer).normalized())
    }
}

impl fmt::Display for Number {
    /// All digits, without an exponent, as Terraform writes numbers on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_plain_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_keep_every_digit_and_lose_only_their_spelling() {
        let long: Number = "123456789012345678901234567890".parse().unwrap();
        assert_eq!(long.to_string(), "123456789012345678901234567890");
        assert_eq!("1.50".parse::<Number>().unwrap().to_string(), "1.5");
        assert_eq!("100".parse::<Number>().unwrap(), Number::from(100_i64));
        assert_eq!(Number::from(100_i64).to_string(), "100");
        assert_eq!(Number::from_f64(0.1).unwrap(), "0.1".parse().unwrap());
        let two_to_63 = Number::from_f64(9_223_372_036_854_775_808.0).unwrap();
        assert_eq!(two_to_63.to_string(), "9223372036854775808");
    }

    #[test]
    fn only_exact_floats_are_given_as_floats() {
        assert_eq!("0.5".parse::<Number>().unwrap().as_exact_f64(), Some(0.5));
        assert_eq!("0.1".parse::<Number>().unwrap().as_exact_f64(), None);
    }

    #[test]
    fn an_exponent_that_would_fill_the_memory_is_refused() {
        assert!("1e999999999".parse::<Number>().is_err());
    }
}
