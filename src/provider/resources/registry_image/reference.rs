//! How images are written: `registry/repository:tag` or `registry/repository@sha256:digest`, and what
//! can be wrong about it. (OCI distribution specification, "Pulling manifests"; Microsoft Learn,
//! "Import container images to a container registry".)

/// An image as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The registry's host, where one is named.
    pub host: Option<&'a str>,
    /// The repository.
    pub repository: &'a str,
    /// The tag, where one is named.
    pub tag: Option<&'a str>,
    /// The digest, where one is named.
    pub digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Takes a text apart; whatever it is, it has these parts.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (host, path) = match name.split_once('/') {
            Some((first, path)) if is_host(first) => (Some(first), path),
            _ => (None, name),
        };
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (path, None),
        };
        Self {
            host,
            repository,
            tag,
            digest,
        }
    }

    /// The image within its registry.
    #[must_use]
    pub fn within(&self) -> String {
        match (self.digest, self.tag) {
            (Some(digest), _) => format!("{}@{digest}", self.repository),
            (None, Some(tag)) => format!("{}:{tag}", self.repository),
            (None, None) => self.repository.to_owned(),
        }
    }
}

fn is_host(first: &str) -> bool {
    first.contains('.') || first.contains(':') || first == "localhost"
}

/// What is wrong about a source, in any cloud.
#[must_use]
pub fn source_problems(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some((scheme, rest)) = text.split_once("://") {
        problems.push(format!("a reference has no `{scheme}://`: {rest}"));
        return problems;
    }
    let reference = Reference::of(text);
    if let Some(host) = reference.host {
        problems.extend(host_problem(host));
    }
    problems.extend(repository_problems(reference.repository));
    match (reference.tag, reference.digest) {
        (None, None) => problems.push(format!(
            "it has no tag and no digest, and none is assumed: {text}:1.2.3, or {text}@sha256:..."
        )),
        (Some(tag), Some(_)) => problems.push(format!(
            "it has a tag and a digest, and Azure imports by one of them: leave `:{tag}` out"
        )),
        _ => {}
    }
    problems.extend(reference.tag.and_then(tag_problem));
    problems.extend(reference.digest.and_then(digest_problem));
    problems
}

/// What is wrong about a tag to import to.
#[must_use]
pub fn target_problems(text: &str) -> Vec<String> {
    let reference = Reference::of(text);
    let mut problems = host_in_target(&reference);
    problems.extend(repository_problems(reference.repository));
    if reference.digest.is_some() {
        problems.push(
            "a digest is no name that an image can be given: name a tag, or the repository alone in \
             `untagged_target_repositories`"
                .to_owned(),
        );
    } else if reference.tag.is_none() {
        problems.push(format!(
            "it has no tag, and none is assumed: {}:1.2.3",
            reference.repository
        ));
    }
    problems.extend(reference.tag.and_then(tag_problem));
    problems
}

/// What is wrong about a repository to import to.
#[must_use]
pub fn target_repository_problems(text: &str) -> Vec<String> {
    let reference = Reference::of(text);
    let mut problems = host_in_target(&reference);
    problems.extend(repository_problems(reference.repository));
    if reference.tag.is_some() || reference.digest.is_some() {
        problems.push("a repository is named without tag and digest here".to_owned());
    }
    problems
}

fn host_in_target(reference: &Reference<'_>) -> Vec<String> {
    let Some(host) = reference.host else {
        return Vec::new();
    };
    let mut problems: Vec<String> = host_problem(host).into_iter().collect();
    problems.push(format!(
        "it names the registry {host}, which `registry_id` does already: {}",
        reference.within()
    ));
    problems
}

fn host_problem(host: &str) -> Option<String> {
    let lower = host.to_lowercase();
    if lower.split('.').any(|label| label == "privatelink") {
        let public: Vec<&str> = lower
            .split('.')
            .filter(|label| *label != "privatelink")
            .collect();
        return Some(format!(
            "{host} is a name of private DNS that nobody pulls by: its certificate is for {}, which \
             leads to the private address by itself",
            public.join(".")
        ));
    }
    let labels: Vec<&str> = lower.split('.').collect();
    if let [name, _, "data", suffix @ ..] = labels.as_slice()
        && suffix.first() == Some(&"azurecr")
    {
        return Some(format!(
            "{host} is the data endpoint of a registry: its login server is {name}.{}",
            suffix.join(".")
        ));
    }
    None
}

fn repository_problems(repository: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if repository.chars().any(|c| c.is_ascii_uppercase()) {
        problems.push(format!(
            "repositories are in lower case: {}",
            repository.to_lowercase()
        ));
    }
    let part = |part: &str| {
        let word = |c: char| c.is_ascii_alphanumeric();
        part.starts_with(word)
            && part.ends_with(word)
            && part
                .chars()
                .all(|c| word(c) || matches!(c, '.' | '_' | '-'))
    };
    if !repository.split('/').all(part) || repository.len() > 255 {
        problems.push(format!(
            "{repository:?} is no repository: letters, digits, `.`, `_` and `-` in parts between slashes, \
             255 characters at most"
        ));
    }
    problems
}

fn tag_problem(tag: &str) -> Option<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fine = (1..=128).contains(&tag.len())
        && tag.starts_with(word)
        && tag.chars().all(|c| word(c) || matches!(c, '.' | '-'));
    (!fine).then(|| {
        format!(
            "{tag:?} is no tag: 1 to 128 letters, digits, `_`, `.` and `-`, the first of them no `.` or `-`"
        )
    })
}

fn digest_problem(digest: &str) -> Option<String> {
    let hexadecimal = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f');
    let fine = digest
        .strip_prefix("sha256:")
        .is_some_and(|hash| hash.len() == 64 && hash.chars().all(hexadecimal));
    (!fine).then(|| {
        format!("{digest:?} is no digest: `sha256:` and 64 hexadecimal digits in lower case")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_reference_is_taken_apart_wherever_its_colons_are() {
        let reference = Reference::of("localhost:5000/team/app:1.2");
        assert_eq!(
            (reference.host, reference.repository, reference.tag),
            (Some("localhost:5000"), "team/app", Some("1.2"))
        );
        let text = format!("team/app@{DIGEST}");
        let reference = Reference::of(&text);
        assert_eq!(
            (reference.host, reference.tag, reference.digest),
            (None, None, Some(DIGEST))
        );
        assert_eq!(reference.within(), text);
        assert_eq!(
            Reference::of("docker.io/library/nginx:1").within(),
            "library/nginx:1"
        );
    }

    #[test]
    fn what_is_wrong_about_a_source_is_told_all_at_once() {
        for fine in [
            "docker.io/library/nginx:1.27".to_owned(),
            format!("mcr.microsoft.com/dotnet/runtime@{DIGEST}"),
            "team/App_1".to_lowercase() + ":v1",
        ] {
            assert_eq!(source_problems(&fine), Vec::<String>::new(), "{fine}");
        }
        let all = source_problems("fkacr.privatelink.azurecr.io/Team/app");
        assert_eq!(all.len(), 3, "{all:?}");
        assert!(all[0].contains("fkacr.azurecr.io,"), "{all:?}");
        assert!(all[1].contains("team/app"), "{all:?}");
        assert!(all[2].contains("no tag and no digest"), "{all:?}");
        for (wrong, why) in [
            (
                "https://docker.io/library/nginx:1",
                "docker.io/library/nginx:1",
            ),
            ("docker.io/library/nginx@sha256:12", "no digest"),
            ("docker.io/library/nginx@sha256:ABCDEF", "no digest"),
            ("docker.io/library/nginx:-1", "no tag"),
            ("docker.io/library//nginx:1", "no repository"),
            (
                "fkacr.westeurope.data.azurecr.io/app:1",
                "login server is fkacr.azurecr.io",
            ),
        ] {
            let all = source_problems(wrong).join("; ");
            assert!(all.contains(why), "{wrong}: {all}");
        }
        let both = source_problems(&format!("docker.io/library/nginx:1@{DIGEST}"));
        assert!(both[0].contains("leave `:1` out"), "{both:?}");
    }

    #[test]
    fn a_target_names_no_registry_and_no_digest() {
        assert_eq!(target_problems("team/app:1"), Vec::<String>::new());
        assert_eq!(target_repository_problems("team/app"), Vec::<String>::new());
        let host = target_problems("fkacr.azurecr.io/app:1").join("; ");
        assert!(
            host.contains("which `registry_id` does already: app:1"),
            "{host}"
        );
        assert_eq!(target_problems(&format!("app@{DIGEST}")).len(), 1);
        assert_eq!(target_problems("App").len(), 2);
        assert_eq!(target_repository_problems("app:1").len(), 1);
    }
}
