package page

import (
	"net/url"
	"strings"
)

// Contact is whom to ask. URL is "" for plain text.
type Contact struct{ Text, URL string }

// parseContact understands text, an e-mail address, mailto: and https URLs.
func parseContact(s string) Contact {
	s = strings.TrimSpace(s)
	if address, ok := strings.CutPrefix(s, "mailto:"); ok {
		address, _, _ = strings.Cut(address, "?")
		return Contact{Text: Clean(address), URL: s}
	}
	if u, err := url.Parse(s); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		return Contact{Text: Clean(u.Host + strings.TrimSuffix(u.Path, "/")), URL: s}
	}
	if at := strings.IndexByte(s, '@'); at > 0 && at < len(s)-1 && !strings.ContainsAny(s, " \t,;<>") {
		return Contact{Text: Clean(s), URL: "mailto:" + s}
	}
	return Contact{Text: Clean(s)}
}

// Href returns a link that may stand on a page, and "" for any other: a path of this host, or an absolute http(s) URL. A browser
// reads //host, /\host and an address with a line break or tab in it as another host (A109).
func Href(link string) string {
	if link == "" || strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return ""
	}
	u, err := url.Parse(link)
	if err != nil || u.Opaque != "" || u.User != nil {
		return ""
	}
	switch {
	case u.Scheme == "" && u.Host == "" && strings.HasPrefix(link, "/") && !strings.HasPrefix(link, "//"):
		return link
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host != "":
		return link
	}
	return ""
}
