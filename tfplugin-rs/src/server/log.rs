//! Logging as go-plugin's hosts read it: one JSON object a line on standard error, in the form of hclog. Whoever writes
//! a provider uses `tracing`; `TF_LOG` and `TF_LOG_PROVIDER_<NAME>` decide what is written.

use std::fmt::{Debug, Write as _};
use std::io::Write as _;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

/// The Go layout that hosts parse; a line with another time is shown as it stands, at level DEBUG.
const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
/// Hosts read lines of up to 64 KiB; a longer one would be cut into pieces that are no JSON.
const LINE_LIMIT: usize = 60 * 1024;
/// What one value may take of a line.
const VALUE_LIMIT: usize = 8 * 1024;

/// Sends `tracing` events to standard error, at the level that the environment asks for.
///
/// Only `own` crates (and this one) log below WARN: what libraries say there is about bytes on the wire, which may
/// hold secrets.
pub(crate) fn install(provider: &str, own: &[&str]) {
    let Some(level) = level(provider, |name| std::env::var(name).ok()) else {
        return;
    };
    let filter = own.iter().copied().chain([env!("CARGO_CRATE_NAME")]).fold(
        Targets::new().with_default(level.min(LevelFilter::WARN)),
        |filter, name| filter.with_target(name, level),
    );
    let layer = Hclog::new(|line| {
        // Where standard error is closed there is nobody to tell.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    });
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
    // Fails when the program has its own subscriber, which then is what its author wants.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// A line for hosts that is no event of `tracing`.
pub(crate) fn line(level: &str, message: &str) -> String {
    let head = head(level, shortened(message), "provider");
    format!("{}\n", Value::Object(head))
}

/// What each line has. Hosts expect text in all of it, and end on anything else.
fn head(level: &str, message: String, module: &str) -> Map<String, Value> {
    let now = OffsetDateTime::now_utc()
        .format(TIMESTAMP)
        .unwrap_or_default();
    [
        ("@level", level.to_owned()),
        ("@message", message),
        ("@module", module.to_owned()),
        ("@timestamp", now),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), Value::String(text)))
    .collect()
}

/// The level that the environment names: the most specific variable counts. None: nobody listens.
fn level(provider: &str, variable: impl Fn(&str) -> Option<String>) -> Option<LevelFilter> {
    let own = format!(
        "TF_LOG_PROVIDER_{}",
        provider.to_uppercase().replace('-', "_")
    );
    [own.as_str(), "TF_LOG_PROVIDER", "TF_LOG"]
        .into_iter()
        .filter_map(variable)
        .find(|value| !value.is_empty())
        .and_then(|value| match value.to_ascii_uppercase().as_str() {
            "OFF" => None,
            "ERROR" => Some(LevelFilter::ERROR),
            "WARN" => Some(LevelFilter::WARN),
            "INFO" => Some(LevelFilter::INFO),
            "DEBUG" => Some(LevelFilter::DEBUG),
            // TRACE, JSON (which means TRACE), and what the host itself takes for TRACE.
            _ => Some(LevelFilter::TRACE),
        })
}

/// Writes each event as one line of hclog JSON, with the fields of the spans around it.
struct Hclog<W> {
    write: W,
}

impl<W: Fn(&str) + 'static> Hclog<W> {
    fn new(write: W) -> Self {
        Self { write }
    }

    fn line(&self, event: &Event<'_>, mut fields: Fields) -> String {
        let metadata = event.metadata();
        event.record(&mut fields);
        let Fields { mut map, message } = fields;
        let level = match *metadata.level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let module = if metadata.target().starts_with(env!("CARGO_CRATE_NAME")) {
            "sdk.framework"
        } else {
            "provider"
        };
        let mut head = head(level, message, module);
        if let (Some(file), Some(line)) = (metadata.file(), metadata.line()) {
            head.insert("@caller".to_owned(), format!("{file}:{line}").into());
        }
        let mut room = LINE_LIMIT.saturating_sub(length(&head));
        // Fields that do not fit are left out whole, and the line says so.
        map.retain(|name, value| {
            let needed = name.len() + value.to_string().len() + 4;
            let fits = needed < room;
            if fits {
                room -= needed;
            } else {
                head.insert("fields_left_out".to_owned(), Value::Bool(true));
            }
            fits
        });
        head.append(&mut map);
        let mut line = Value::Object(head).to_string();
        line.push('\n');
        line
    }
}

fn length(map: &Map<String, Value>) -> usize {
    map.iter()
        .map(|(name, value)| name.len() + value.to_string().len() + 4)
        .sum()
}

impl<S, W> Layer<S> for Hclog<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&str) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.map.extend(of_span.map.clone());
            }
        }
        (self.write)(&self.line(event, fields));
    }
}

/// Collects fields as JSON.
#[derive(Default)]
struct Fields {
    map: Map<String, Value>,
    message: String,
}

impl Fields {
    fn insert(&mut self, field: &Field, value: Value) {
        // Names with an @ are hclog's own; the host expects text in them, and ends on anything else.
        self.map.insert(field.name().replace('@', ""), value);
    }

    fn insert_text(&mut self, field: &Field, text: &str) {
        let text = shortened(text);
        if field.name() == "message" {
            self.message = text;
        } else {
            self.insert(field, Value::String(text));
        }
    }
}

fn shortened(text: &str) -> String {
    let mut end = VALUE_LIMIT;
    if text.len() <= end {
        return text.to_owned();
    }
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{} ({} bytes more)", &text[..end], text.len() - end)
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // Writing to a string fails only where the value's own formatting does; what is there by then is kept.
        let _ = write!(text, "{value:?}");
        self.insert_text(field, &text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert_text(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "message" {
            self.insert_text(field, &value.to_string());
        } else {
            self.insert(field, value.into());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if field.name() == "message" {
            self.insert_text(field, &value.to_string());
        } else {
            self.insert(field, value.into());
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "message" {
            self.insert_text(field, &value.to_string());
        } else {
            self.insert(field, value.into());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn logged(run: impl FnOnce()) -> Vec<Value> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let layer = Hclog::new(move |line| sink.lock().unwrap().push(line.to_owned()));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), run);
        let lines = lines.lock().unwrap();
        for line in lines.iter() {
            assert!(
                line.len() < 64 * 1024 && line.ends_with('\n') && line.matches('\n').count() == 1
            );
        }
        lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn an_event_is_a_line_with_the_fields_of_its_spans() {
        let lines = logged(|| {
            let span = tracing::info_span!(
                "rpc",
                tf_rpc = "ReadResource",
                tf_resource_type = tracing::field::Empty
            );
            span.record("tf_resource_type", "x_y");
            let _entered = span.entered();
            tracing::warn!(count = 3, "one\ntwo");
        });
        let line = &lines[0];
        assert_eq!(line["@level"], "warn");
        assert_eq!(line["@message"], "one\ntwo");
        assert_eq!(line["tf_rpc"], "ReadResource");
        assert_eq!(line["tf_resource_type"], "x_y");
        assert_eq!(line["count"], 3);
        let timestamp = line["@timestamp"].as_str().unwrap();
        assert_eq!(
            (timestamp.len(), &timestamp[19..20], &timestamp[26..]),
            (27, ".", "Z"),
            "{timestamp}"
        );
    }

    #[test]
    fn the_message_is_text_whatever_was_logged() {
        let lines = logged(|| {
            tracing::info!(message = 5);
            tracing::info!(message = true);
            tracing::info!("@level" = 1, "text");
        });
        assert_eq!(lines[0]["@message"], "5");
        assert_eq!(lines[1]["@message"], "true");
        assert_eq!(lines[2]["@level"], "info");
    }

    #[test]
    fn a_line_stays_under_the_limit_of_the_host() {
        let long = "\u{1}é".repeat(100_000);
        let lines = logged(|| {
            tracing::info!(a = long, b = long, c = long, d = long, "{long}");
        });
        assert_eq!(lines[0]["fields_left_out"], true);
    }

    #[test]
    fn the_most_specific_variable_decides() {
        let level = |pairs: &[(&str, &str)]| {
            level("my-cloud", |name| {
                pairs
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(level(&[]), None);
        assert_eq!(level(&[("TF_LOG", "JSON")]), Some(LevelFilter::TRACE));
        assert_eq!(
            level(&[("TF_LOG", "debug"), ("TF_LOG_PROVIDER", "")]),
            Some(LevelFilter::DEBUG)
        );
        assert_eq!(
            level(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER_MY_CLOUD", "warn")]),
            Some(LevelFilter::WARN)
        );
        assert_eq!(
            level(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "off")]),
            None
        );
    }
}
