//! `skald audit verify`: whether the shop's audit record is as it was written, found out from outside.
//!
//! It shares no code with the component that writes the record: the form of what is hashed is documented in
//! `docs/audit.md`, and made here a second time.

mod entry;
mod files;
mod remote;
mod verifier;

use std::path::Path;

use comfy_table::{Table, presets};

use self::{
    entry::Head,
    files::Saved,
    remote::Remote,
    verifier::{Finding, Verifier},
};
use crate::{
    cli::{Audit, AuditCommand, Verify},
    failure::Failure,
    present,
};

/// Does what is asked.
pub(crate) fn run(audit: &Audit) -> Result<(), Failure> {
    match &audit.command {
        AuditCommand::Verify(asked) => verify(asked),
    }
}

fn verify(asked: &Verify) -> Result<(), Failure> {
    let mut verifier = Verifier::default();
    if let Some(file) = &asked.heads {
        verifier.expect(files::heads(file)?, &file.display().to_string());
    }
    match (&asked.file, &asked.from) {
        (Some(file), _) => files::entries(file, &mut verifier)?,
        (None, Some(from)) => {
            let remote = Remote::new(from, asked.token.as_deref())?;
            read(&remote, asked.save.as_deref(), &mut verifier)?;
        }
        (None, None) => return Err(Failure::Input("name a file, or --from URL".to_owned())),
    }
    let (heads, findings) = verifier.end();
    let written: Vec<Head> = heads.into_iter().filter(|head| head.entries > 0).collect();
    if !written.is_empty() {
        present::say(&table(&written));
    }
    judge(&written, &findings)?;
    match &asked.save_heads {
        Some(file) => files::save_heads(file, written),
        None => Ok(()),
    }
}

/// Every chain that the shop has, to its end.
fn read(remote: &Remote, save: Option<&Path>, verifier: &mut Verifier) -> Result<(), Failure> {
    let heads = remote.heads()?;
    let chains: Vec<u32> = heads.iter().map(|head| head.chain).collect();
    // What the shop says about itself has to agree with what it shows.
    verifier.expect(heads, "the heads that the shop tells");
    let mut saved = save.map(Saved::create).transpose()?;
    for chain in chains {
        follow(remote, chain, saved.as_mut(), verifier)?;
    }
    saved.map_or(Ok(()), Saved::close)
}

/// One chain, page after page.
fn follow(
    remote: &Remote,
    chain: u32,
    mut saved: Option<&mut Saved>,
    verifier: &mut Verifier,
) -> Result<(), Failure> {
    let mut after = Some(0);
    while let Some(number) = after {
        let page = remote.page(chain, number)?;
        for entry in &page.items {
            saved.as_mut().map_or(Ok(()), |saved| saved.add(entry))?;
            verifier.take(entry);
        }
        after = page.next_after;
    }
    Ok(())
}

fn judge(heads: &[Head], findings: &[Finding]) -> Result<(), Failure> {
    if findings.is_empty() {
        let entries: u64 = heads.iter().map(|head| head.entries).sum();
        let chains = heads.len();
        present::say(&format!(
            "{entries} entries in {chains} chains are as they were written."
        ));
        return Ok(());
    }
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    Err(Failure::Findings(format!(
        "the record is not as it was written:\n{}",
        lines.join("\n")
    )))
}

fn table(heads: &[Head]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_header(["chain", "entries", "head"]);
    for head in heads {
        let (chain, entries) = (head.chain.to_string(), head.entries.to_string());
        table.add_row([chain, entries, head.hash.clone()]);
    }
    table.trim_fmt()
}
