//! `bench`: the measurements that lie beside the code they measure.

use crate::{
    Ended,
    cargo::{cargo, root, succeeds},
};
use anyhow::Result;

/// An example that measures and prints a table.
struct Bench {
    area: &'static str,
    package: &'static str,
    folder: &'static str,
    example: &'static str,
}

const BENCHES: [Bench; 3] = [
    Bench {
        area: "server",
        package: "undertone-server-core",
        folder: "server-core",
        example: "store_bench",
    },
    Bench { area: "server", package: "undertone-server", folder: "server", example: "load" },
    Bench { area: "client", package: "undertone-client", folder: "client", example: "engine" },
];

pub(crate) fn run(words: &[&str]) -> Result<Ended> {
    let areas = match words {
        [] => vec!["server", "client"],
        ["peers"] => return Ok(Ended::Usage("bench peers is not in this release".to_owned())),
        ["server"] => vec!["server"],
        ["client"] => vec!["client"],
        _ => return Ok(Ended::Usage("cargo xtask bench [server|client|peers]".to_owned())),
    };
    let mut well = true;
    for bench in BENCHES.iter().filter(|bench| areas.contains(&bench.area)) {
        well &= bench.run()?;
    }
    Ok(if well { Ended::Well } else { Ended::Badly })
}

impl Bench {
    fn run(&self) -> Result<bool> {
        println!("== {} {}", self.package, self.example);
        let examples = root().join("crates").join(self.folder).join("examples");
        let here = examples.join(self.example);
        if !here.is_dir() && !here.with_extension("rs").is_file() {
            println!("not in this release");
            return Ok(true);
        }
        let words = ["run", "--locked", "--release", "-p", self.package, "--example", self.example];
        succeeds(&mut cargo(&words))
    }
}
