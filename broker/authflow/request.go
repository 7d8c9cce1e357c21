package authflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"apostille/trust"
	"apostille/upstream"
)

// Request says for which application somebody is to sign in, and how. Its owner has checked all of it.
type Request struct {
	Client     string       `json:"client"`
	ClientName string       `json:"name,omitempty"`
	Trusts     []string     `json:"trusts,omitempty"` // offices in question, of those that may sign in to Client; empty = all of them
	Hint       string       `json:"hint,omitempty"`   // office by ID or issuer (idp_hint)
	LoginHint  string       `json:"login_hint,omitempty"`
	Ask        upstream.Ask `json:"ask,omitzero"`
	Select     bool         `json:"select,omitempty"` // show the picker even if one office is remembered or hinted at
	// Return is where the browser goes afterwards: an absolute path with query below the issuer's "/oauth2/", or its "/saml/idp/resume", at most
	// MaxReturn bytes.
	Return string `json:"return"`
	// Cancel is where "back to the application" leads; "" = no such link.
	Cancel  string   `json:"cancel,omitempty"`
	Locales []string `json:"locales,omitempty"`
}

// Limits of a request, in bytes.
const (
	MaxReturn  = 4 << 10
	maxRequest = 6 << 10 // as JSON: it travels in a URL, and lies in a store.Pending
)

// check says what is wrong with a request.
func (q *Request) check(base string) error {
	switch {
	case q.Client == "":
		return errors.New("no client")
	case !localReturn(base, q.Return):
		return errors.New("the return address is not a path of ours that a login returns to")
	}
	return nil
}

// localReturn reports whether ret is a path of ours that a login may return to. Everything that browsers read in more than one way
// is refused: backslashes, white space, control characters, "//", dot segments (THREATS A109).
func localReturn(base, ret string) bool {
	if len(ret) > MaxReturn || strings.ContainsFunc(ret, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' || r == '#' }) {
		return false
	}
	u, err := url.Parse(ret)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.RawPath != "" {
		return false
	}
	ours := strings.HasPrefix(u.Path, base+"/oauth2/") || u.Path == base+"/saml/idp/resume"
	return ours && path.Clean(u.Path) == u.Path
}

// withLogin is ret with a result's handle as its last parameter.
func withLogin(ret, handle string) string {
	if strings.Contains(ret, "?") {
		return ret + "&login=" + handle
	}
	return ret + "?login=" + handle
}

// pickerPurpose is what a request is sealed for that waits in the browser for an office to be picked.
const pickerPurpose = "login-request"

// waiting is a request that waits in the browser.
type waiting struct {
	Request Request   `json:"q"`
	Since   time.Time `json:"t"`
}

// seal puts a request into a text that only we can read and make: nothing is stored for whoever looks at the picker (THREATS A120).
func (f *Flow) seal(q Request) (string, error) {
	b, err := json.Marshal(waiting{Request: q, Since: f.Now()})
	if err != nil {
		return "", err
	}
	if len(b) > maxRequest {
		return "", fmt.Errorf("a request of %d bytes", len(b))
	}
	return f.Box.Seal(pickerPurpose, b), nil
}

// unseal reads what seal made. A request that is too old comes with the refusal, so that the person can start again.
func (f *Flow) unseal(text string) (Request, *refusal) {
	b, err := f.Box.Open(pickerPurpose, text)
	if err != nil {
		return Request{}, &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: "r is not a request of ours", cause: err}
	}
	var in waiting
	if err := json.Unmarshal(b, &in); err != nil || in.Request.check(f.base()) != nil {
		return Request{}, &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: "r is of another version", cause: err}
	}
	if age := f.Now().Sub(in.Since); age > pickerTTL || age < -trust.Skew {
		return Request{}, &refusal{kind: Expired, reason: trust.ReasonLoginState, detail: "a picker that lay open too long",
			again: in.Request.Return, cancel: in.Request.Cancel}
	}
	return in.Request, nil
}

// base is the issuer's path, without a slash at its end.
func (f *Flow) base() string {
	u, err := url.Parse(f.Issuer)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}
