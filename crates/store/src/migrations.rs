//! The migrations of the database, embedded: their texts, in order, as files that never change.

use std::sync::LazyLock;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Version, description and statements of each; a database keeps all three, the last as a digest.
const FILES: [(i64, &str, &str); 4] = [
    (1, "initial", include_str!("../migrations/0001_initial.sql")),
    (
        2,
        "kept calls",
        include_str!("../migrations/0002_kept_calls.sql"),
    ),
    (
        3,
        "lists by key",
        include_str!("../migrations/0003_lists_by_key.sql"),
    ),
    (4, "changes", include_str!("../migrations/0004_changes.sql")),
];

pub(crate) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let migration = |(version, description, statements): (i64, &'static str, &'static str)| {
        let kind = MigrationType::Simple;
        let statements = statements.into_sql_str();
        Migration::new(version, description.into(), kind, statements, false)
    };
    Migrator::with_migrations(FILES.into_iter().map(migration).collect())
});

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::MIGRATIONS;

    #[tokio::test]
    async fn what_is_embedded_is_every_file_of_the_folder_as_sqlx_reads_it() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let files = sqlx::migrate::Migrator::new(folder).await.unwrap();
        assert_eq!(MIGRATIONS.iter().count(), files.iter().count());
        for (embedded, file) in MIGRATIONS.iter().zip(files.iter()) {
            assert_eq!(embedded.version, file.version);
            assert_eq!(embedded.description, file.description);
            assert_eq!(embedded.migration_type, file.migration_type);
            assert_eq!(embedded.checksum, file.checksum, "{}", file.version);
            assert_eq!(embedded.no_tx, file.no_tx);
        }
    }

    /// A database refuses to open when one of these has changed.
    #[test]
    fn a_migration_that_was_released_never_changes() {
        let digests = MIGRATIONS.iter().map(|migration| {
            let bytes = migration.checksum.iter().take(8);
            bytes.map(|byte| format!("{byte:02x}")).collect::<String>()
        });
        assert_eq!(
            digests.collect::<Vec<_>>(),
            [
                "3775298199c34c00",
                "4384b32717a34a3e",
                "675e9225d4f1bdbc",
                "de87e70fdaf261ce"
            ]
        );
    }
}
