//! Addresses that a backend names, redirects and next pages: taken where they stay under the base
//! of the settings, and nowhere else.

use percent_encoding::percent_decode_str;
use url::Url;

/// Whether an address is of the base's origin and under its path.
pub(super) fn is_under(base: &Url, target: &Url) -> bool {
    target.origin() == base.origin() && below(base, target).is_some()
}

/// A place beside the base, as `../schema/` names it: of the same origin.
pub(super) fn beside(base: &Url, path: &str) -> Option<String> {
    let mut root = base.clone();
    root.set_path(&format!("{}/", base.path().trim_end_matches('/')));
    let target = root.join(path).ok()?;
    (target.origin() == base.origin()).then(|| target.into())
}

/// The path below the base; it starts with `/`, or is empty for the base itself.
fn below<'u>(base: &Url, target: &'u Url) -> Option<&'u str> {
    target
        .path()
        .strip_prefix(base.path().trim_end_matches('/'))
        .filter(|path| path.is_empty() || path.starts_with('/'))
}

/// The path and query, below the base, of a next page; none when it is elsewhere. `asked` is the
/// address of the page that names it. Host and port are not looked at: behind a proxy they are
/// those inside. Nor is what a proxy took off the front of the path: of a link to the very list
/// that was asked, by the path that it has inside, the query is taken.
pub(super) fn next_page(base: &Url, asked_address: &str, link: &str) -> Option<String> {
    let asked_address = Url::parse(asked_address).ok()?;
    let mut root = base.clone();
    root.set_path(&format!("{}/", base.path().trim_end_matches('/')));
    // a query alone is one of the same list
    let target = if link.starts_with('?') {
        asked_address.join(link)
    } else {
        root.join(link)
    }
    .ok()?;
    let path = match below(base, &target).filter(|path| !path.is_empty()) {
        Some(path) => path,
        None if is_inside(&asked_address, &target) => below(base, &asked_address)?,
        None => return None,
    };
    Some(match target.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}

/// Whether the path of an address is that of another one without some of its first segments.
fn is_inside(asked_path: &Url, target: &Url) -> bool {
    let decoded = |url: &Url| percent_decode_str(url.path()).collect::<Vec<u8>>();
    let (asked_path, target) = (decoded(asked_path), decoded(target));
    target.len() > 1 && target.len() < asked_path.len() && asked_path.ends_with(&target)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{is_under, next_page};

    #[test]
    fn a_redirect_stays_under_the_base() {
        let base = Url::parse("https://h.example/v1").unwrap();
        let under = |target: &str| is_under(&base, &base.join(target).unwrap());
        for good in [
            "/v1/x",
            "/v1",
            "/v1/",
            "/v1?x=1",
            "https://h.example:443/v1/x",
        ] {
            assert!(under(good), "{good}");
        }
        for bad in [
            "/admin/secret",
            "/",
            "/v10/x",
            "/v1/../admin",
            "/v1/%2e%2e/admin",
            "http://h.example/v1/x",
            "//other.example/v1/x",
        ] {
            assert!(!under(bad), "{bad}");
        }
        let root = Url::parse("https://h.example").unwrap();
        assert!(is_under(&root, &root.join("/anything").unwrap()));
    }

    #[test]
    fn a_next_page_is_under_the_base_or_the_same_list_inside() {
        let base = Url::parse("https://h.example/ppm/api/v1").unwrap();
        let asked = "https://h.example/ppm/api/v1/projects/a%20b/tasks/?page_size=500";
        let next = |link: &str| next_page(&base, asked, link);
        for (link, taken) in [
            (
                "https://h.example/ppm/api/v1/projects/a%20b/tasks/?page=2",
                "/projects/a%20b/tasks/?page=2",
            ),
            (
                "http://inside:8000/api/v1/projects/a%20b/tasks/?page=2&page_size=500",
                "/projects/a%20b/tasks/?page=2&page_size=500",
            ),
            (
                "/api/v1/projects/a%20b/tasks/?page=2",
                "/projects/a%20b/tasks/?page=2",
            ),
            (
                "/v1/projects/%61%20b/tasks/?page=2",
                "/projects/a%20b/tasks/?page=2",
            ),
            ("?page=2", "/projects/a%20b/tasks/?page=2"),
            ("/ppm/api/v1/other/?page=2", "/other/?page=2"),
            ("other/?page=2", "/other/?page=2"),
        ] {
            assert_eq!(next(link).as_deref(), Some(taken), "{link}");
        }
        for elsewhere in [
            "/api/v1/projects/other/tasks/?page=2",
            "/admin/?page=2",
            "/",
            "/?page=2",
            "/i/v1/projects/a%20b/tasks/?page=2",
            "../x",
            "/ppm/api/v1",
            "http://[bad",
        ] {
            assert_eq!(next(elsewhere), None, "{elsewhere}");
        }
    }
}
