//! What the sandbox's log of requests tells about a command: how many calls, and how long a chain of them.

use std::collections::BTreeMap;

use serde_json::Value;

/// The calls to Azure Resource Manager during one command.
pub struct Calls {
    /// When each call began and ended, in microseconds, without polls of operations.
    spans: Vec<(u64, u64)>,
    methods: BTreeMap<String, usize>,
    polls: usize,
}

impl Calls {
    /// Reads the entries of the sandbox's log.
    pub fn of(entries: &[Value]) -> Self {
        let mut calls = Self {
            spans: Vec::new(),
            methods: BTreeMap::new(),
            polls: 0,
        };
        for entry in entries.iter().filter(|entry| entry["kind"] == "arm") {
            let path = entry["path"].as_str().unwrap_or_default().to_lowercase();
            if path.contains("/operations/") || path.contains("/operationresults/") {
                calls.polls += 1;
                continue;
            }
            let time = |name: &str| entry[name].as_u64().unwrap_or_default();
            calls.spans.push((time("startedUs"), time("endedUs")));
            let method = entry["method"].as_str().unwrap_or_default().to_owned();
            *calls.methods.entry(method).or_default() += 1;
        }
        calls
    }

    /// `27: DELETE 1, GET 20, PUT 6; polls 12`.
    pub fn by_method(&self) -> String {
        let methods = self
            .methods
            .iter()
            .map(|(method, count)| format!("{method} {count}"));
        let methods = methods.collect::<Vec<_>>().join(", ");
        format!("{}: {methods}; polls {}", self.spans.len(), self.polls)
    }

    /// The most calls of which each began only after the one before had ended: what latency is multiplied by.
    ///
    /// Calls that could have run at the same time but did not are counted, too; so it says most at a latency that is
    /// long against the time between two calls.
    pub fn longest_chain(&self) -> usize {
        let mut spans = self.spans.clone();
        spans.sort_by_key(|(_, end)| *end);
        let mut last = 0;
        spans
            .iter()
            .filter(|(start, end)| {
                *start >= last && {
                    last = *end;
                    true
                }
            })
            .count()
    }
}
