package oauth

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Limits of a form. They bound work before anything is authenticated.
const (
	maxParams = 64
	maxScopes = 256 // words of scope: each is compared with the others
)

// Params are the parameters of a request, read once. A parameter sent empty counts as absent (RFC 6749 §3.2).
type Params struct {
	values map[string][]string // a name that was sent empty is here without values
}

// repeatable are the parameters that may stand more than once (RFC 8693 §2.1).
var repeatable = map[string]bool{"audience": true, "resource": true}

// ParseParams reads an application/x-www-form-urlencoded body. A parameter that is repeated, other than audience and
// resource, refuses (RFC 6749 §3.2), as does whatever is not well-formed, or names more than 256 scopes.
func ParseParams(body string) (Params, *Error) {
	p := Params{values: make(map[string][]string, 8)}
	for count := 1; body != ""; count++ {
		var pair string
		pair, body, _ = strings.Cut(body, "&")
		if pair == "" {
			continue
		}
		if count > maxParams {
			return Params{}, BadRequest("too many parameters")
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			return Params{}, BadRequest("a parameter name is not form-encoded")
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return Params{}, BadRequest(parameter(name) + " is not form-encoded")
		}
		list, seen := p.values[name]
		if seen && !repeatable[name] {
			return Params{}, BadRequest(parameter(name) + " is repeated")
		}
		if value != "" {
			list = append(list, value)
		}
		p.values[name] = list
	}
	if strings.Count(p.Get("scope"), " ") >= maxScopes {
		return Params{}, BadRequest("too many scopes")
	}
	return p, nil
}

// parameter names a parameter for error texts. What does not look like a name may be a token that was sent without one, and
// descriptions reach logs.
func parameter(name string) string {
	const limit = 40
	odd := func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }
	if name == "" || len(name) > limit || strings.ContainsFunc(name, odd) {
		return "a parameter"
	}
	return "parameter " + name
}

// ParamsOf makes Params from pairs "name", "value", …; for grants called without HTTP.
func ParamsOf(pairs ...string) Params {
	p := Params{values: make(map[string][]string, len(pairs)/2)}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			p.values[pairs[i]] = append(p.values[pairs[i]], pairs[i+1])
		}
	}
	return p
}

// Get returns a parameter's value, "" if absent.
func (p Params) Get(name string) string {
	if v := p.values[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// List returns all values of a repeatable parameter.
func (p Params) List(name string) []string { return p.values[name] }

// Has says whether a parameter was sent with a value.
func (p Params) Has(name string) bool { return len(p.values[name]) > 0 }

// Names calls f for every parameter sent with a value.
func (p Params) Names(f func(name string)) {
	for name, list := range p.values {
		if len(list) > 0 {
			f(name)
		}
	}
}

// Scopes splits `scope` (RFC 6749 §3.3) and drops repetitions.
func (p Params) Scopes() []string {
	raw := p.Get("scope")
	if raw == "" {
		return nil
	}
	var out []string
	for s := range strings.SplitSeq(raw, " ") {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// ReadForm reads the parameters of a POST: a form in the body (RFC 6749 §3.2), at most limit bytes, nothing in the query,
// where it would end in logs.
func ReadForm(w http.ResponseWriter, r *http.Request, limit int64) (Params, *Error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return Params{}, BadRequest("use POST")
	}
	if r.URL.RawQuery != "" {
		return Params{}, BadRequest("parameters belong into the body, not into the query")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return Params{}, BadRequest("Content-Type must be application/x-www-form-urlencoded")
	}
	body, err := readBody(http.MaxBytesReader(w, r.Body, limit), min(r.ContentLength, limit+1))
	if err != nil {
		return Params{}, BadRequest("the body is larger than this server reads, or was cut off")
	}
	return ParseParams(string(body))
}

// readBody reads a body of the announced length, or of -1, which is unknown, into one buffer.
func readBody(body io.Reader, length int64) ([]byte, error) {
	if length < 0 {
		return io.ReadAll(body)
	}
	b := make([]byte, length)
	_, err := io.ReadFull(body, b)
	return b, err
}
