package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Error is a failed Get. Its text names the URL without query and credentials and says what went wrong in our own words:
// nothing the other party sent is in it.
type Error struct {
	URL  string
	What string
	Err  error // for errors.Is and errors.As; its text may quote the other party
}

func (e *Error) Error() string { return "GET " + e.URL + ": " + e.What }
func (e *Error) Unwrap() error { return e.Err }

// StatusError is an answer with a status other than 200.
type StatusError struct{ Code int }

func (e *StatusError) Error() string { return fmt.Sprintf("answered %d", e.Code) }

// Get fetches one document with a client of a Guard, which is what caps it. accept lists acceptable media types; they are
// sent, not enforced. Errors are *Error.
func Get(ctx context.Context, client *http.Client, rawURL string, accept ...string) ([]byte, http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return nil, nil, &Error{URL: "(unreadable URL)", What: "not a URL", Err: err}
	}
	if len(accept) > 0 {
		r.Header.Set("Accept", strings.Join(accept, ", "))
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, nil, failed(r.URL, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, nil, failed(r.URL, &StatusError{Code: resp.StatusCode})
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, failed(r.URL, err)
	}
	return body, resp.Header, nil
}

func failed(u *url.URL, err error) error {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return &Error{URL: shown.String(), What: Describe(err), Err: err}
}

// Describe says what went wrong with a request without quoting the answer, as net/http's own errors would.
func Describe(err error) string {
	var (
		own    *Error
		addr   *AddressError
		status *StatusError
		dns    *net.DNSError
		cert   *tls.CertificateVerificationError
		op     *net.OpError
		timed  net.Error
	)
	switch {
	case errors.As(err, &own):
		return own.What
	case errors.As(err, &addr):
		return addr.Error()
	case errors.As(err, &status):
		return status.Error()
	case errors.Is(err, ErrRedirect), errors.Is(err, ErrScheme), errors.Is(err, ErrTooLarge), errors.Is(err, ErrEncoding):
		return refusal(err)
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &cert):
		return "its TLS certificate does not verify: " + cert.Err.Error()
	case errors.As(err, &dns):
		return "no address for " + dns.Name
	case errors.As(err, &timed) && timed.Timeout():
		return "no complete answer in time"
	case errors.As(err, &op):
		return "no connection: " + op.Err.Error()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the answer was cut short"
	}
	return "no valid HTTP answer"
}

// refusal is the text of our own refusal inside what net/http wraps around it, which quotes the Location of a redirect.
func refusal(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err.Error()
	}
	return err.Error()
}
