//! What every URL in the settings has to be.

use reqwest::Url;

/// A URL of HTTP with a host; otherwise what it lacks.
pub(super) fn of_http(text: &str) -> Result<Url, &'static str> {
    let url: Url = text.parse().map_err(|_| "and this is none")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("with http or https");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("with a host");
    }
    Ok(url)
}

/// Whether there is a name or a password in it, which would be told on with it.
pub(super) fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}
