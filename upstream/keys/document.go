package keys

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"apostille/trust/jose"
	"apostille/upstream/fetch"
)

// fetchDocument asks the upstream. A jwks_uri found by discovery is believed for refreshAge, so that an unknown kid costs
// one request and a moved jwks_uri is followed within MaxAge.
func (c *Cache) fetchDocument(ctx context.Context, e *entry) (document, error) {
	src := e.source
	if src.JWKSURL != "" {
		body, err := getKeys(ctx, c.cfg.Client(src.Roots, true), src.JWKSURL)
		return document{body: body}, err
	}
	d := document{discovered: c.cfg.Now()}
	if s := e.state.Load(); s != nil && s.uri != "" && d.discovered.Sub(s.discovered) < refreshAge {
		d.uri, d.discovered = s.uri, s.discovered
	} else {
		uri, err := discover(ctx, c.cfg.Client(src.Roots, true), src.Discovery)
		if err != nil {
			return document{}, err
		}
		d.uri = uri
	}
	// On the origin we were configured with, the jwks_uri reaches nothing that the issuer itself does not.
	configured := fetch.SameOrigin(src.Discovery, d.uri)
	body, err := getKeys(ctx, c.cfg.Client(src.Roots, configured), d.uri)
	d.body = body
	return d, err
}

func getKeys(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	body, _, err := fetch.Get(ctx, client, url, "application/jwk-set+json", "application/json")
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	return body, nil
}

// discover returns the jwks_uri of an issuer.
func discover(ctx context.Context, client *http.Client, issuer string) (string, error) {
	doc, err := Discover(ctx, client, issuer)
	if err != nil {
		return "", err
	}
	uri, _ := doc["jwks_uri"].(string)
	if uri == "" {
		return "", fmt.Errorf("discovery document of %s names no jwks_uri", issuer)
	}
	return uri, nil
}

// wholeAnswer reads an answer before go-oidc sees it, so that a bad status and a body that is too large, too slow or cut
// short are errors of the request, with their kind, and not go-oidc's text. Redirects pass: the client follows them.
type wholeAnswer struct{ next http.RoundTripper }

func (t wholeAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err != nil || resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return resp, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &fetch.StatusError{Code: resp.StatusCode}
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// newState parses a document. The version stays while the document does.
func (c *Cache) newState(e *entry, d document, fetched time.Time) (*state, error) {
	s := &state{document: d, fetched: fetched, refresh: refreshAt(fetched)}
	if old := e.state.Load(); old != nil && bytes.Equal(old.body, d.body) {
		s.set, s.version, s.saved, s.body = old.set, old.version, old.saved, old.body
		return s, nil
	}
	set, refused, err := jose.ParseJWKS(d.body, e.source.Algs)
	for _, r := range refused {
		c.cfg.Log.Warn("key refused", slog.String("source", e.source.name()), slog.String("kid", r.Kid), slog.String("why", r.Why))
	}
	if err != nil {
		return nil, fmt.Errorf("key set of %s: %w", e.source.name(), err)
	}
	s.set, s.version = set, c.versions.Add(1)
	return s, nil
}
