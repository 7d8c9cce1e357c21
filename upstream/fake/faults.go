package fake

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// HugeBytes is how much padding a document has under Faults.Huge.
const HugeBytes = 50 << 20

// Faults are the ways in which the provider fails. The zero value is a provider that works. Several may be on at once.
type Faults struct {
	Only string // the one path (PathJWKS, …) that fails; "" = all

	Down       bool          // the connection is dropped without an answer
	SlowBy     time.Duration // every answer waits this long, or until the caller gives up
	Status500  bool          // 500 with a text body
	HTML       bool          // 200 with an HTML page, as a captive portal answers
	RedirectTo string        // 302 to this URL

	EmptyKeys   bool   // the JWK Set holds no key
	Truncated   bool   // JSON documents end in the middle
	Huge        bool   // JSON documents are valid, and HugeBytes larger than they need be
	WrongIssuer string // discovery names this issuer instead

	Discovery map[string]any // members of discovery, over the right ones; nil leaves one out
	Login     LoginFaults
}

// Break switches faults on, in place of those that were on before.
func (p *Provider) Break(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

// Repair switches all faults off.
func (p *Provider) Repair() { p.Break(Faults{}) }

// at is the faults that concern a path.
func (f Faults) at(path string) Faults {
	if f.Only != "" && f.Only != path {
		return Faults{}
	}
	return f
}

// interferes lets the faults act that need not know the page. It reports whether the request is done with.
func (f Faults) interferes(w http.ResponseWriter, r *http.Request, path string) bool {
	f = f.at(path)
	if f.SlowBy > 0 {
		select {
		case <-r.Context().Done():
			return true
		case <-time.After(f.SlowBy):
		}
	}
	switch {
	case f.Down:
		panic(http.ErrAbortHandler) // net/http drops the connection and logs nothing
	case f.Status500:
		http.Error(w, "the provider is out of order ("+Notice+")", http.StatusInternalServerError)
	case f.RedirectTo != "":
		http.Redirect(w, r, f.RedirectTo, http.StatusFound)
	case f.HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title><p>Accept the terms to go online. "+Notice+".")
	default:
		return false
	}
	return true
}

// writeJSON writes a document as the faults want it. An error of w means that the caller has gone, so nobody is to be told.
func (f Faults) writeJSON(w http.ResponseWriter, doc []byte) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case f.Truncated:
		_, _ = w.Write(doc[:len(doc)/2])
	case f.Huge:
		writeHuge(w, doc)
	default:
		_, _ = w.Write(doc)
	}
}

// writeHuge puts a long member first: a reader must take all of it before it gets to anything of use.
func writeHuge(w io.Writer, doc []byte) {
	_, _ = io.WriteString(w, `{"padding":"`)
	chunk := strings.Repeat("A", 1<<20)
	for range HugeBytes / len(chunk) {
		if _, err := io.WriteString(w, chunk); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, `",`)
	_, _ = w.Write(doc[1:])
}
