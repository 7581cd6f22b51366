//! What the compiler says where a tool is not quite one yet.

use std::path::PathBuf;
use std::process::Command;

/// The library as these tests are linked with it: the one that was built last.
fn library() -> (PathBuf, PathBuf) {
    let folder = std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .to_owned();
    let built = std::fs::read_dir(&folder).unwrap().flatten();
    let libraries = built.filter(|file| {
        let name = file.file_name().to_string_lossy().into_owned();
        name.starts_with("libfootbridge_mcp-") && name.ends_with(".rlib")
    });
    let newest =
        libraries.max_by_key(|file| file.metadata().and_then(|data| data.modified()).unwrap());
    (newest.unwrap().path(), folder)
}

fn said_of(name: &str, code: &str) -> String {
    let source = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.rs"));
    std::fs::write(&source, code).unwrap();
    let (library, folder) = library();
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "lib",
            "--emit",
            "metadata",
        ])
        .arg("--extern")
        .arg(format!("footbridge_mcp={}", library.display()))
        .arg("-L")
        .arg(format!("dependency={}", folder.display()))
        .arg("-o")
        .arg(source.with_extension("rmeta"))
        .arg(&source)
        .output()
        .unwrap();
    assert!(!output.status.success(), "it compiles");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_missing_derive_is_named() {
    let said = said_of(
        "missing_derive",
        r"
        use footbridge_mcp::{Call, Failure, Run};
        struct Greet { name: String }
        impl Run<()> for Greet {
            type Output = String;
            async fn run(self, _: &Call<()>) -> Result<String, Failure> { Ok(self.name) }
        }
        ",
    );
    assert!(
        said.contains("`Greet` cannot be read from what a client sends"),
        "{said}"
    );
    assert!(
        said.contains("#[derive(serde::Deserialize, schemars::JsonSchema)]"),
        "{said}"
    );
    assert!(!said.contains("Sealed"), "{said}");
}

#[test]
fn a_wrong_output_is_named_with_those_that_there_are() {
    let said = said_of(
        "wrong_output",
        r"
        use footbridge_mcp::{IntoOutput, Json};
        struct Order;
        fn answers<T: IntoOutput>() {}
        fn all() { answers::<u32>(); answers::<Json<Order>>(); }
        ",
    );
    for name in ["u32", "Json<Order>"] {
        assert!(
            said.contains(&format!("a tool cannot answer with `{name}`")),
            "{said}"
        );
    }
    assert!(said.contains("`Json<T>` of a type that derives"), "{said}");
}

#[test]
fn what_keeps_a_function_from_its_threads_is_named() {
    let said = said_of(
        "not_send",
        r#"
        use std::rc::Rc;
        use footbridge_mcp::{Call, Output, Tool};
        fn tool() -> Tool<()> {
            Tool::new("t", "", Default::default(), |_: Call<()>| async {
                let kept = Rc::new(1);
                std::future::ready(()).await;
                Ok(Output::text(kept.to_string()))
            })
        }
        "#,
    );
    assert!(said.contains("Rc<i32>"), "{said}");
    assert!(said.contains("await"), "{said}");
}
