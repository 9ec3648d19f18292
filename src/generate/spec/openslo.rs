//! OpenSLO v1: documents that refer to each other.

mod alerts;
mod documents;
mod indicator;
mod objective;
mod slo;
mod window;
mod write;

pub(super) use write::write;

use super::cursor::{At, Raw};
use super::imported::Importer;
use documents::{Document, Documents};

const VERSION: &str = "openslo/v1";

const NAME_ONLY: &str = "is not kept: here an SLO is known by its name";

const SERVICE_ONLY: &str = "is not kept: of a service there is its name, which rules and panels ask for as its job; \
     what people are to read goes into a comment";

pub(super) fn read(importer: &mut Importer<'_>, raws: &[&Raw]) {
    let documents = Documents::of(raws, importer.report);
    for document in documents.all() {
        if let Some(spec) = &document.spec {
            one(importer, &documents, document, spec);
        }
    }
    documents.note_unused();
}

fn one<'a>(
    importer: &mut Importer<'_>,
    documents: &Documents<'a>,
    document: &Document<'a>,
    spec: &At<'a>,
) {
    match document.kind {
        "SLO" => slo::read(importer, documents, document, spec),
        "Service" => {
            importer.service(document.name);
            let fields = spec.fields();
            fields.leave(&["description"], SERVICE_ONLY);
            fields.finish();
        }
        "DataSource" => document
            .at
            .note("is not needed: everything is counted in the process"),
        "AlertNotificationTarget" => document
            .at
            .note("is not kept: alerts go by their severity, to who subscribes or to Alertmanager"),
        _ => {}
    }
}
