//! `meltpoint completions` and `meltpoint man`, from the definitions of the flags.

use std::fs;

use clap::CommandFactory;
use clap_mangen::Man as Page;

use super::args::{Arguments, Completions, Man};
use super::error::Failure;
use super::folder::write_file;
use super::output;

const PROGRAM: &str = "meltpoint";

pub(super) fn completions(arguments: &Completions) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        PROGRAM,
        &mut script,
    );
    output::result(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

pub(super) fn man(arguments: &Man) -> Result<u8, Failure> {
    let command = Arguments::command();
    let Some(folder) = &arguments.out else {
        output::result(&rendered(command, PROGRAM))?;
        return Ok(0);
    };
    fs::create_dir_all(folder).map_err(|cause| Failure::file("create", folder, cause))?;
    write_file(
        &folder.join("meltpoint.1"),
        rendered(command.clone(), PROGRAM).as_bytes(),
        false,
    )?;
    for sub in command.get_subcommands() {
        let name = format!("{PROGRAM}-{}", sub.get_name());
        let page = rendered(sub.clone(), &name);
        write_file(&folder.join(format!("{name}.1")), page.as_bytes(), false)?;
    }
    Ok(0)
}

fn rendered(command: clap::Command, name: &str) -> String {
    let mut page = Vec::new();
    // Writing into memory does not fail.
    drop(Page::new(command.name(name.to_owned())).render(&mut page));
    String::from_utf8_lossy(&page).into_owned()
}
