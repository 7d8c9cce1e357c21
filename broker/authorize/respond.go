package authorize

import (
	"net/url"
	"strings"

	"apostille/broker/page"
)

// success is the answer with a code; RFC 9207: iss says who answers.
func (q *request) success(code, issuer string) []page.Field {
	return compact([]page.Field{{Name: "code", Value: code}, {Name: "state", Value: q.State}, {Name: "iss", Value: issuer}})
}

// failure is the answer with an error. The reference finds the whole reason in the audit trail.
func (q *request) failure(p *problem, issuer, reference string) []page.Field {
	return compact([]page.Field{
		{Name: "error", Value: p.Code}, {Name: "error_description", Value: p.Text + " (reference " + reference + ")"}, {Name: "state", Value: q.State}, {Name: "iss", Value: issuer},
	})
}

func compact(list []page.Field) []page.Field {
	out := list[:0]
	for _, p := range list {
		if p.Value != "" {
			out = append(out, p)
		}
	}
	return out
}

// location is the redirect URI with an answer in its query. What the client registered stays byte for byte (RFC 6749 §3.1.2).
func (q *request) location(answer []page.Field) string {
	var b strings.Builder
	b.WriteString(q.Redirect)
	sep := byte('?')
	if strings.Contains(q.Redirect, "?") {
		sep = '&'
	}
	for _, p := range answer {
		b.WriteByte(sep)
		b.WriteString(p.Name + "=" + url.QueryEscape(p.Value))
		sep = '&'
	}
	return b.String()
}

// origin is the redirect URI as a source of a Content-Security-Policy: scheme and host, or the scheme of a native application.
func (q *request) origin() string {
	u, err := url.Parse(q.Redirect)
	switch {
	case err != nil || u.Scheme == "":
		return ""
	case u.Host == "" || !isWeb(q.Redirect):
		return u.Scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}

// target is where an answer goes, for people: the host, or the scheme of a native application.
func (q *request) target() string {
	u, err := url.Parse(q.Redirect)
	switch {
	case err != nil:
		return ""
	case isWeb(q.Redirect):
		return u.Host
	}
	return u.Scheme + ":"
}
