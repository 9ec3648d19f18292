//! YAML as a tree that knows its lines.

use saphyr_parser::{Event, Parser, ScalarStyle};

/// A value and the line where it begins.
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

pub(crate) struct Key {
    pub(crate) line: usize,
    pub(crate) name: String,
}

/// What cannot be read, and where.
pub(crate) struct Unreadable {
    pub(crate) line: usize,
    pub(crate) construct: &'static str,
    pub(crate) message: String,
}

/// Rule files have seven levels, specs of SLOs ten.
const MAX_DEPTH: usize = 16;

/// The only document of a text; `None` for an empty one.
pub(super) fn read(text: &str) -> Result<Option<Node>, Unreadable> {
    let Stream { documents, broken } = stream(text);
    if let Some(second) = documents.get(1) {
        return Err(Unreadable {
            line: second.0,
            construct: "---",
            message: "is a second document, which Prometheus does not read: put its groups into the first".to_owned(),
        });
    }
    match broken {
        Some(error) => Err(error),
        None => Ok(documents.into_iter().next().map(|(_, root)| root)),
    }
}

/// The documents of a text, as far as it can be read.
pub(crate) struct Stream {
    /// Each with the line where it begins.
    pub(crate) documents: Vec<(usize, Node)>,
    pub(crate) broken: Option<Unreadable>,
}

pub(crate) fn stream(text: &str) -> Stream {
    let mut documents = Vec::new();
    let broken = collect(text, &mut documents).err();
    Stream { documents, broken }
}

fn collect(text: &str, documents: &mut Vec<(usize, Node)>) -> Result<(), Unreadable> {
    let mut started = 0;
    // What is open, and for maps the key whose value comes next.
    let mut open: Vec<(Node, Option<Key>)> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Unreadable {
            line: error.marker().line(),
            construct: "",
            message: format!("is no YAML: {}", error.info()),
        })?;
        let line = span.start.line();
        let refuse = |construct, message: &str| {
            Err(Unreadable {
                line,
                construct,
                message: message.to_owned(),
            })
        };
        let node = |kind| Node { line, kind };
        let done = match event {
            Event::Alias(_) => return refuse("alias", "write out what it stands for"),
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return refuse(
                    "tag",
                    "leave it out: every value is a text, a list or a map",
                );
            }
            Event::DocumentStart(_) => {
                started = line;
                continue;
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() == MAX_DEPTH => {
                return refuse("", "is nested more deeply than any such file");
            }
            Event::SequenceStart(..) => {
                open.push((node(Kind::List(Vec::new())), None));
                continue;
            }
            Event::MappingStart(..) => {
                open.push((node(Kind::Map(Vec::new())), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some((done, _)) => done,
                None => continue,
            },
            Event::Scalar(text, style, ..) => {
                let null = style == ScalarStyle::Plain
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                node(if null {
                    Kind::Null
                } else {
                    Kind::Text(text.into_owned())
                })
            }
            _ => continue,
        };
        match open.last_mut() {
            None => documents.push((started, done)),
            Some((
                Node {
                    kind: Kind::List(list),
                    ..
                },
                _,
            )) => list.push(done),
            Some((
                Node {
                    kind: Kind::Map(map),
                    ..
                },
                key,
            )) => match (key.take(), done.kind) {
                (Some(key), kind) => map.push((
                    key,
                    Node {
                        line: done.line,
                        kind,
                    },
                )),
                (None, Kind::Text(name)) => {
                    *key = Some(Key {
                        line: done.line,
                        name,
                    })
                }
                (None, _) => return refuse("", "a key must be a text"),
            },
            Some(_) => {}
        }
    }
    Ok(())
}
