package fetch

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Refusals of a guarded client; errors.Is tells which. Refused addresses are *AddressError.
var (
	ErrScheme   = errors.New("only https is spoken")
	ErrRedirect = errors.New("redirect refused")
	ErrTooLarge = errors.New("answer too large")
	ErrEncoding = errors.New("answer is compressed, which was not asked for")
)

// transport applies the rules that hold for each hop.
type transport struct {
	dev     bool
	maxBody int64
	next    http.RoundTripper
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && (!t.dev || r.URL.Scheme != "http") {
		return nil, ErrScheme
	}
	if r.URL.User != nil {
		return nil, errors.New("URL carries credentials")
	}
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", userAgent)
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := t.checkAnswer(resp); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	resp.Body = &cappedBody{ReadCloser: resp.Body, left: t.maxBody}
	return resp, nil
}

// checkAnswer refuses what is known to be too much before any of it is read. A compressed body is refused rather than
// inflated, so that the cap counts what is parsed.
func (t *transport) checkAnswer(resp *http.Response) error {
	if resp.ContentLength > t.maxBody {
		return ErrTooLarge
	}
	if ce := resp.Header.Get("Content-Encoding"); ce != "" && !strings.EqualFold(ce, "identity") {
		return ErrEncoding
	}
	return nil
}

// cappedBody fails with ErrTooLarge where a plain limit would silently truncate.
type cappedBody struct {
	io.ReadCloser
	left int64
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		b.left = 0
		return 0, ErrTooLarge
	}
	b.left -= int64(n)
	return n, err
}

// checkRedirect keeps every hop on the origin that was asked: a redirect elsewhere would let one host speak for another
// (THREATS A67), and the certificate of the first host would vouch for nothing.
func checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: more than %d", ErrRedirect, maxRedirects)
	}
	if !sameOrigin(r.URL, via[0].URL) {
		return fmt.Errorf("%w: to another scheme, host or port", ErrRedirect)
	}
	return nil
}

// SameOrigin says whether two absolute URLs have the same scheme, host and port, default ports made explicit. What does
// not parse, or has no host, is of no origin.
func SameOrigin(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	return errA == nil && errB == nil && ua.Host != "" && sameOrigin(ua, ub)
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	switch u.Scheme {
	case "https":
		return "443"
	case "http":
		return "80"
	}
	return ""
}
