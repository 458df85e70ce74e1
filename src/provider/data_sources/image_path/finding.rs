//! What is found out: a check, its verdict, and what shows it.

use serde::Serialize;

use crate::arm::ArmId;

/// How a check ends. The worse, the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It stands in the way.
    Problem,
    /// It cannot be told.
    Unknown,
    /// It is as it should be.
    Ok,
}

impl Verdict {
    /// Yes, no, or nobody knows.
    pub const fn truth(self) -> Option<bool> {
        match self {
            Self::Ok => Some(true),
            Self::Unknown => None,
            Self::Problem => Some(false),
        }
    }
}

/// The checks, in the order in which they are told: who pulls, how the name is resolved, where the
/// address leads, and who else gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The identity with which the nodes pull.
    KubeletIdentity,
    /// Its role at the registry.
    Role,
    /// Whether the registry takes the nodes' tokens.
    TokenAudience,
    /// Whom the nodes' network asks for names.
    DnsServers,
    /// The private zone of registries.
    Zone,
    /// The link between the two.
    ZoneLink,
    /// The record of the login server.
    LoginRecord,
    /// The records of the data endpoints, of every region.
    DataRecords,
    /// The private endpoint and its connection.
    Endpoint,
    /// The way from the nodes' network to the endpoint's.
    Peering,
    /// Security groups on that way.
    SecurityGroup,
    /// Routes that lead elsewhere.
    Route,
    /// Who reaches the registry in public.
    PublicAccess,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check.
    pub check: Check,
    /// How it ends.
    pub verdict: Verdict,
    /// In a sentence.
    pub summary: String,
    /// Ids and addresses that show it.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub fix: Option<String>,
}

impl Finding {
    /// It is as it should be.
    pub fn ok(check: Check, summary: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, summary)
    }

    /// It stands in the way.
    pub fn problem(check: Check, summary: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(check, Verdict::Problem, summary).fix(fix)
    }

    /// It cannot be told.
    pub fn unknown(check: Check, summary: impl Into<String>) -> Self {
        Self::new(check, Verdict::Unknown, summary)
    }

    fn new(check: Check, verdict: Verdict, summary: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            summary: summary.into(),
            evidence: Vec::new(),
            fix: None,
        }
    }

    /// With what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// With what shows it.
    #[must_use]
    pub fn evidence<T: ToString>(mut self, evidence: impl IntoIterator<Item = T>) -> Self {
        let lines = evidence.into_iter().map(|line| line.to_string());
        self.evidence.extend(lines);
        self
    }
}

/// One finding for each check, in order: of several networks the worst counts, and all are told.
pub fn merged(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    for finding in findings {
        let known = merged.iter_mut().find(|known| known.check == finding.check);
        match known {
            None => merged.push(finding),
            Some(known) if *known == finding => {}
            Some(known) => {
                let (mut first, second) = if finding.verdict < known.verdict {
                    (finding, known.clone())
                } else {
                    (known.clone(), finding)
                };
                // What is right elsewhere says nothing of what is wrong here.
                if first.verdict == second.verdict && first.summary != second.summary {
                    first.summary = format!("{} {}", first.summary, second.summary);
                }
                let new = second.evidence.into_iter();
                let new: Vec<_> = new.filter(|line| !first.evidence.contains(line)).collect();
                first.evidence.extend(new);
                first.fix = first.fix.or(second.fix);
                *known = first;
            }
        }
    }
    merged.sort_by_key(|finding| finding.check);
    merged
}

/// That something may not be read, with the missing action.
pub fn hidden(id: &ArmId) -> String {
    format!(
        "{id}: the caller may not read it, which takes the action `{}/read`",
        id.resource_type()
    )
}
