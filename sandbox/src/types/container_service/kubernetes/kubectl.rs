//! `kubectl` on the objects of a cluster: apply, create, get, delete, patch, label and annotate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::objects::{Applied, Objects, kind_of, merge, missing};
use super::print::print;
use super::shell::{Done, Files, file};
use super::yaml;

/// Flags that take a value in the next word.
const WITH_VALUE: &[&str] = &[
    "-n",
    "--namespace",
    "-f",
    "--filename",
    "-o",
    "--output",
    "-l",
    "--selector",
    "-p",
    "--patch",
    "--type",
    "--from-literal",
    "--from-file",
    "--docker-server",
    "--docker-username",
    "--docker-password",
    "--docker-email",
    "--field-manager",
    "--timeout",
    "--field-selector",
];

/// A command line taken apart.
struct Line {
    words: Vec<String>,
    flags: Vec<(String, String)>,
}

impl Line {
    fn read(words: &[String]) -> Self {
        let mut line = Self {
            words: Vec::new(),
            flags: Vec::new(),
        };
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if !word.starts_with('-') || word == "-" {
                line.words.push(word.clone());
            } else if let Some((name, value)) =
                word.split_once('=').filter(|_| word.starts_with("--"))
            {
                line.flags.push((name.to_owned(), value.to_owned()));
            } else if WITH_VALUE.contains(&word.as_str()) {
                line.flags
                    .push((word.clone(), rest.next().cloned().unwrap_or_default()));
            } else if let Some(short) = WITH_VALUE
                .iter()
                .find(|flag| flag.len() == 2 && word.starts_with(**flag))
            {
                line.flags.push((
                    (*short).to_owned(),
                    word[2..].trim_start_matches('=').to_owned(),
                ));
            } else {
                line.flags.push((word.clone(), "true".into()));
            }
        }
        line
    }

    fn all<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.flags
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(_, value)| value.as_str())
    }

    fn flag(&self, names: &[&str]) -> Option<String> {
        self.all(names).last().map(ToOwned::to_owned)
    }

    fn on(&self, name: &str) -> bool {
        self.flag(&[name]).is_some_and(|value| value != "false")
    }

    fn namespace(&self) -> String {
        self.flag(&["-n", "--namespace"])
            .unwrap_or_else(|| "default".into())
    }

    fn output(&self) -> String {
        self.flag(&["-o", "--output"]).unwrap_or_default()
    }

    fn dry(&self) -> bool {
        self.flag(&["--dry-run"])
            .is_some_and(|value| value != "none")
    }

    fn word(&self, at: usize) -> &str {
        self.words.get(at).map(String::as_str).unwrap_or_default()
    }
}

/// Runs `kubectl` with these words.
pub fn run(words: &[String], input: &str, files: &Files, objects: &mut Objects<'_>) -> Done {
    let line = Line::read(words);
    let done = match line.word(0) {
        "apply" => {
            manifests(&line, input, files).and_then(|found| apply(&line, found, objects, true))
        }
        "create" if line.flag(&["-f", "--filename"]).is_some() => {
            manifests(&line, input, files).and_then(|found| apply(&line, found, objects, false))
        }
        "replace" => {
            manifests(&line, input, files).and_then(|found| apply(&line, found, objects, true))
        }
        "create" => create(&line, input, files, objects),
        "get" => get(&line, objects),
        "delete" => delete(&line, input, files, objects),
        "patch" => patch(&line, objects),
        "label" => mark(&line, input, files, objects, "labels", "labeled"),
        "annotate" => mark(&line, input, files, objects, "annotations", "annotated"),
        "version" => Ok("Client Version: v1.34.2\nServer Version: v1.34.2\n".into()),
        "cluster-info" => Ok("Kubernetes control plane is running\n".into()),
        other => Err(format!(
            "error: unknown command \"{other}\" for \"kubectl\""
        )),
    };
    match done {
        Ok(output) => Done::fine(output),
        Err(error) => Done::failed(error),
    }
}

/// The documents that `-f` names: files of the context, or standard input.
fn manifests(line: &Line, input: &str, files: &Files) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    for name in line.all(&["-f", "--filename"]) {
        let text = if name == "-" {
            Some(input.to_owned())
        } else {
            file(files, name)
        };
        let text = text.ok_or_else(|| format!("error: the path \"{name}\" does not exist"))?;
        found.extend(yaml::documents(&text)?);
    }
    if found.is_empty() {
        return Err("error: no objects passed to apply".into());
    }
    Ok(found)
}

fn apply(
    line: &Line,
    found: Vec<Value>,
    objects: &mut Objects<'_>,
    update: bool,
) -> Result<String, String> {
    let mut out = String::new();
    for object in found {
        out.push_str(&store(line, object, objects, update)?);
    }
    Ok(out)
}

/// Stores one object and says so, or shows it when the run is dry.
fn store(
    line: &Line,
    object: Value,
    objects: &mut Objects<'_>,
    update: bool,
) -> Result<String, String> {
    if line.dry() && !line.output().is_empty() {
        return print(&line.output(), &object);
    }
    let word = |object: &Value| {
        format!(
            "{}/{}",
            object["kind"].as_str().unwrap_or_default().to_lowercase(),
            object["metadata"]["name"].as_str().unwrap_or_default()
        )
    };
    if line.dry() {
        return Ok(format!("{} created (dry run)\n", word(&object)));
    }
    let (stored, how) = objects.put(object, &line.namespace(), update)?;
    if !line.output().is_empty() {
        return print(&line.output(), &stored);
    }
    let how = match how {
        _ if line.on("--server-side") => "serverside-applied",
        Applied::Created => "created",
        Applied::Configured => "configured",
        Applied::Unchanged => "unchanged",
    };
    Ok(format!("{} {how}\n", word(&stored)))
}

/// `create namespace`, `create secret docker-registry|generic`, `create serviceaccount`.
fn create(
    line: &Line,
    input: &str,
    files: &Files,
    objects: &mut Objects<'_>,
) -> Result<String, String> {
    let kind = kind_of(line.word(1))
        .ok_or_else(|| format!("error: unknown resource type \"{}\"", line.word(1)))?;
    let object = match kind {
        "Secret" => secret(line, input, files)?,
        _ => json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": line.word(2) } }),
    };
    if object["metadata"]["name"]
        .as_str()
        .is_none_or(str::is_empty)
    {
        return Err("error: exactly one NAME is required, got 0".into());
    }
    store(line, object, objects, false)
}

fn secret(line: &Line, input: &str, files: &Files) -> Result<Value, String> {
    let mut data = Map::new();
    let mut kind = line.flag(&["--type"]).unwrap_or_else(|| "Opaque".into());
    match line.word(2) {
        "docker-registry" => {
            let text = |name: &str| line.flag(&[name]).unwrap_or_default();
            let (server, user, password) = (
                text("--docker-server"),
                text("--docker-username"),
                text("--docker-password"),
            );
            if user.is_empty() || password.is_empty() {
                return Err("error: either --from-file or the combination of --docker-username, --docker-password and --docker-server is required".into());
            }
            let mut entry = json!({ "username": user, "password": password, "auth": STANDARD.encode(format!("{user}:{password}")) });
            if let Some(mail) = line.flag(&["--docker-email"]) {
                entry["email"] = json!(mail);
            }
            let config = json!({ "auths": { server: entry } });
            data.insert(
                ".dockerconfigjson".into(),
                json!(STANDARD.encode(config.to_string())),
            );
            kind = "kubernetes.io/dockerconfigjson".into();
        }
        "generic" => {
            for literal in line.all(&["--from-literal"]) {
                let (name, value) = literal.split_once('=').ok_or_else(|| {
                    format!("error: invalid literal source {literal}, expected key=value")
                })?;
                data.insert(name.into(), json!(STANDARD.encode(value)));
            }
            for source in line.all(&["--from-file"]) {
                let (name, path) = source.split_once('=').unwrap_or((source, source));
                let given = (path == "/dev/stdin").then(|| input.to_owned());
                let text = given.or_else(|| file(files, path)).ok_or_else(|| {
                    format!("error: error reading {path}: no such file or directory")
                })?;
                data.insert(name.into(), json!(STANDARD.encode(text)));
            }
        }
        other => return Err(format!("error: unknown secret type \"{other}\"")),
    }
    let mut object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": line.word(3) }, "type": kind, "data": data });
    if let Some(namespace) = line.flag(&["-n", "--namespace"]) {
        object["metadata"]["namespace"] = json!(namespace);
    }
    Ok(object)
}

/// Kind and names of a command: `secret a b`, `secret/a`.
fn targets(line: &Line) -> Result<(&'static str, Vec<String>), String> {
    let first = line.word(1);
    let (word, mut names) = match first.split_once('/') {
        Some((word, name)) => (word, vec![name.to_owned()]),
        None => (first, Vec::new()),
    };
    let kind = kind_of(word)
        .ok_or_else(|| format!("error: the server doesn't have a resource type \"{word}\""))?;
    names.extend(
        line.words
            .iter()
            .skip(2)
            .filter(|word| !word.contains('=') && !word.ends_with('-'))
            .cloned(),
    );
    Ok((kind, names))
}

fn get(line: &Line, objects: &Objects<'_>) -> Result<String, String> {
    let (kind, names) = targets(line)?;
    let namespace = line.namespace();
    if names.is_empty() {
        let everywhere = line.on("-A") || line.on("--all-namespaces");
        let found = objects.list(
            kind,
            (!everywhere && kind != "Namespace").then_some(namespace.as_str()),
        );
        let found: Vec<Value> = found
            .into_iter()
            .filter(|object| selected(object, line.flag(&["-l", "--selector"]).as_deref()))
            .collect();
        return match line.output().as_str() {
            "" | "wide" if found.is_empty() => {
                Ok(format!("No resources found in {namespace} namespace.\n"))
            }
            "" | "wide" | "name" => found
                .iter()
                .map(|object| print(&line.output(), object))
                .collect(),
            output => print(
                output,
                &json!({ "apiVersion": "v1", "kind": "List", "items": found, "metadata": { "resourceVersion": "" } }),
            ),
        };
    }
    let mut out = String::new();
    for name in names {
        match objects.get(kind, &namespace, &name) {
            Some(object) => out.push_str(&print(&line.output(), &object)?),
            None if line.on("--ignore-not-found") => {}
            None => return Err(missing(kind, &name)),
        }
    }
    Ok(out)
}

fn selected(object: &Value, selector: Option<&str>) -> bool {
    selector.is_none_or(|selector| {
        selector.split(',').all(|term| match term.split_once('=') {
            Some((name, value)) => {
                object["metadata"]["labels"][name.trim_end_matches('=')]
                    == value.trim_start_matches('=')
            }
            None => object["metadata"]["labels"].get(term).is_some(),
        })
    })
}

fn delete(
    line: &Line,
    input: &str,
    files: &Files,
    objects: &mut Objects<'_>,
) -> Result<String, String> {
    let namespace = line.namespace();
    let doomed: Vec<(String, String, String)> = if line.flag(&["-f", "--filename"]).is_some() {
        manifests(line, input, files)?
            .iter()
            .map(|object| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let home = object["metadata"]["namespace"]
                    .as_str()
                    .unwrap_or(&namespace)
                    .to_owned();
                (
                    text(&object["kind"]),
                    home,
                    text(&object["metadata"]["name"]),
                )
            })
            .collect()
    } else {
        let (kind, names) = targets(line)?;
        names
            .into_iter()
            .map(|name| (kind.to_owned(), namespace.clone(), name))
            .collect()
    };
    let mut out = String::new();
    for (kind, namespace, name) in doomed {
        if objects.delete(&kind, &namespace, &name) {
            out.push_str(&format!("{} \"{name}\" deleted\n", kind.to_lowercase()));
        } else if !line.on("--ignore-not-found") {
            return Err(missing(&kind, &name));
        }
    }
    Ok(out)
}

fn patch(line: &Line, objects: &mut Objects<'_>) -> Result<String, String> {
    let (kind, names) = targets(line)?;
    let text = line.flag(&["-p", "--patch"]).ok_or(
        "error: must specify --patch or --patch-file containing the contents of the patch",
    )?;
    let patch = yaml::documents(&text)?
        .into_iter()
        .next()
        .unwrap_or_default();
    let mut out = String::new();
    for name in names {
        let how = objects.patch(kind, &line.namespace(), &name, patch.clone())?;
        let how = if how == Applied::Unchanged {
            "patched (no change)"
        } else {
            "patched"
        };
        out.push_str(&format!("{}/{name} {how}\n", kind.to_lowercase()));
    }
    Ok(out)
}

/// `label` and `annotate`: `name=value` sets, `name-` removes. With `--local` it is done to a manifest, which
/// is shown and not stored.
fn mark(
    line: &Line,
    input: &str,
    files: &Files,
    objects: &mut Objects<'_>,
    member: &str,
    done: &str,
) -> Result<String, String> {
    let local = line.on("--local");
    let mut change = Map::new();
    for word in line.words.iter().skip(if local { 1 } else { 2 }) {
        if let Some((name, value)) = word.split_once('=') {
            change.insert(name.into(), json!(value));
        } else if let Some(name) = word.strip_suffix('-') {
            change.insert(name.into(), Value::Null);
        }
    }
    let change = json!({ "metadata": { member: change } });
    let mut out = String::new();
    if local {
        for mut object in manifests(line, input, files)? {
            merge(&mut object, change.clone());
            out.push_str(&print(&line.output(), &object)?);
        }
        return Ok(out);
    }
    let (kind, names) = targets(line)?;
    for name in names {
        objects.patch(kind, &line.namespace(), &name, change.clone())?;
        out.push_str(&format!("{}/{name} {done}\n", kind.to_lowercase()));
    }
    Ok(out)
}
