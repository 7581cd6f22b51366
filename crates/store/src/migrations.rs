//! The migrations of the database, embedded: their texts, in order, as files that never change.

use std::sync::LazyLock;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// A migration with all that a database keeps of it.
struct EmbeddedMigration {
    version: i64,
    description: &'static str,
    statements: &'static str,
    /// SHA-384 of the statements. A test holds it to them: making it takes longer than opening a
    /// database does.
    digest: [u8; 48],
}

static EMBEDDED: [EmbeddedMigration; 4] = [
    EmbeddedMigration {
        version: 1,
        description: "initial",
        statements: include_str!("../migrations/0001_initial.sql"),
        digest: [
            0x37, 0x75, 0x29, 0x81, 0x99, 0xc3, 0x4c, 0x00, 0xff, 0xcf, 0x84, 0x73, 0x85, 0xef,
            0x87, 0xf9, 0x62, 0xff, 0x3c, 0x35, 0x3a, 0x47, 0xc9, 0xd4, 0xc5, 0xbd, 0xad, 0x61,
            0xa3, 0xc0, 0xb7, 0xac, 0x83, 0x79, 0x3f, 0x21, 0xe5, 0x06, 0x6d, 0xdd, 0xa6, 0x95,
            0x0c, 0xbd, 0x0a, 0xfe, 0x76, 0xe4,
        ],
    },
    EmbeddedMigration {
        version: 2,
        description: "kept calls",
        statements: include_str!("../migrations/0002_kept_calls.sql"),
        digest: [
            0x43, 0x84, 0xb3, 0x27, 0x17, 0xa3, 0x4a, 0x3e, 0x32, 0x5d, 0x12, 0x6f, 0xcd, 0x61,
            0x04, 0x17, 0xf6, 0x5c, 0x8c, 0x19, 0xa6, 0x6f, 0x5f, 0x09, 0xcd, 0xb6, 0xc6, 0xad,
            0xd3, 0x96, 0x99, 0x3f, 0x3e, 0x74, 0xd5, 0x78, 0x50, 0xe3, 0xf0, 0xd5, 0x14, 0x2a,
            0x1e, 0x15, 0xb4, 0x54, 0x23, 0xb6,
        ],
    },
    EmbeddedMigration {
        version: 3,
        description: "lists by key",
        statements: include_str!("../migrations/0003_lists_by_key.sql"),
        digest: [
            0x67, 0x5e, 0x92, 0x25, 0xd4, 0xf1, 0xbd, 0xbc, 0xd5, 0x30, 0x03, 0xe3, 0xb9, 0xa1,
            0x79, 0x08, 0x77, 0x02, 0x77, 0x6e, 0xc2, 0x04, 0x4d, 0x04, 0x26, 0x58, 0x1f, 0x63,
            0xb5, 0x2c, 0x8a, 0xc8, 0x2b, 0x62, 0xd9, 0xb4, 0x3f, 0xb5, 0x61, 0x92, 0x26, 0x7d,
            0x6a, 0x90, 0x62, 0x50, 0x5b, 0x3e,
        ],
    },
    EmbeddedMigration {
        version: 4,
        description: "changes",
        statements: include_str!("../migrations/0004_changes.sql"),
        digest: [
            0xde, 0x87, 0xe7, 0x0f, 0xda, 0xf2, 0x61, 0xce, 0x8e, 0xb3, 0x25, 0xfc, 0x93, 0x9e,
            0xc0, 0x35, 0xb5, 0x4f, 0xdf, 0xa3, 0x46, 0x79, 0x3d, 0x08, 0x1c, 0xfc, 0xb9, 0x8d,
            0xf1, 0xf0, 0xa3, 0x2a, 0xd2, 0x26, 0x36, 0x02, 0xa1, 0xea, 0x73, 0x14, 0x19, 0xe1,
            0x26, 0xa4, 0x1a, 0x08, 0x5a, 0xdc,
        ],
    },
];

pub(crate) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let migration = |embedded: &'static EmbeddedMigration| Migration {
        version: embedded.version,
        description: embedded.description.into(),
        migration_type: MigrationType::Simple,
        sql: embedded.statements.into_sql_str(),
        checksum: embedded.digest.as_slice().into(),
        no_tx: false,
    };
    Migrator::with_migrations(EMBEDDED.iter().map(migration).collect())
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
