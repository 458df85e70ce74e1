//! Where Azure says how an operation is followed: an address in the headers of an answer, or the object itself.

use std::time::Duration;

use crate::arm::Json;
use crate::arm::cloud::Cloud;
use crate::arm::http::Answer;
use crate::arm::request::{Kind, Request, own_path};

/// How to learn of the end.
#[derive(Clone, Debug)]
pub(super) enum Next {
    /// Nothing is under way; the body is the last answer's.
    Done(Json),
    /// Ask this address, which Azure gave.
    Poll {
        style: Style,
        path: String,
        hint: Option<Duration>,
    },
    /// Ask the object itself.
    Object { hint: Option<Duration> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    AsyncOperation,
    Location,
}

/// The address that the headers of an answer announce. One on a foreign host must not see our
/// token, so the object is asked instead.
pub(super) fn announced(
    cloud: &Cloud,
    request: &Request,
    answer: &Answer,
    style: Option<Style>,
) -> Option<Next> {
    let hint = answer.retry_after();
    let endpoint = &cloud.resource_manager;
    for (header, of) in [
        ("azure-asyncoperation", Style::AsyncOperation),
        ("location", Style::Location),
    ] {
        // A 200 with a Location is a finished answer; so is a 201 whose object says so.
        let ignored = of == Style::Location && !matches!(answer.status, 201 | 202);
        let (Some(address), false) = (
            answer.header(header),
            ignored || style.is_some_and(|style| style != of),
        ) else {
            continue;
        };
        let Some(path) = own_path(endpoint, address) else {
            tracing::warn!(
                header,
                about = request.about,
                "the operation lies on a foreign host and is not asked there"
            );
            continue;
        };
        if is_object(request, path) {
            return Some(Next::Object { hint });
        }
        return Some(Next::Poll {
            style: of,
            path: path.to_owned(),
            hint,
        });
    }
    None
}

fn is_object(request: &Request, path: &str) -> bool {
    let plain = path.split('?').next().unwrap_or_default();
    !matches!(request.kind, Kind::Post { .. }) && plain.eq_ignore_ascii_case(&request.about)
}
