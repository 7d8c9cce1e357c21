package bearer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"apostille/broker/oauth"
	"apostille/upstream/fetch"

	"github.com/maypok86/otter/v2"
)

// Introspection lets a Guard ask the broker about each token (RFC 7662) in place of verifying it by itself: revocation is seen at once,
// and opaque tokens are accepted. Each request then costs a call to the broker, and none is answered while the broker is away.
type Introspection struct {
	// URL of the broker's introspection endpoint. Default: {Issuer}/oauth2/introspect.
	URL string
	// ClientID and Secret of the client that owns this API ([api.X] client): others are told nothing. Required.
	ClientID, Secret string
	// CacheFor is how long a token that was found active is not asked about again; never beyond its exp. Default 0: it is asked about each
	// time. At most MaxCacheFor. A revocation is seen that much later.
	CacheFor time.Duration
}

// Limits of introspection.
const (
	MaxCacheFor     = time.Minute
	introspectTime  = 5 * time.Second
	maxIntrospected = 64 << 10 // bytes of an answer
	answersKept     = 16384
)

// introspector asks the broker.
type introspector struct {
	c      Introspection
	client *http.Client
	now    func() time.Time
	kept   *otter.Cache[[sha256.Size]byte, answer] // nil: nothing is kept
}

// answer is what the broker said of an active token.
type answer struct {
	claims map[string]any
	until  time.Time
}

func newIntrospector(c Config) *introspector {
	i := &introspector{c: *c.Introspection, client: fetch.New(c.Outbound).Client(c.Roots, true), now: c.Now}
	if i.c.CacheFor > 0 {
		i.kept = otter.Must(&otter.Options[[sha256.Size]byte, answer]{MaximumSize: answersKept})
	}
	return i
}

// errInactive says that the broker does not know the token, or not for this API, or not any more.
var errInactive = errors.New("the token is not active")

// ask returns the claims of an active token.
func (i *introspector) ask(ctx context.Context, raw string) (map[string]any, error) {
	key := sha256.Sum256([]byte(raw)) // a dump of memory shows no tokens
	if i.kept != nil {
		if had, ok := i.kept.GetIfPresent(key); ok && i.now().Before(had.until) {
			return had.claims, nil
		}
	}
	claims, err := i.post(ctx, raw)
	if err != nil {
		return nil, err
	}
	if active, _ := claims["active"].(bool); !active { // never kept: a token may become known a moment later
		return nil, errInactive
	}
	if i.kept != nil {
		i.kept.Set(key, answer{claims: claims, until: i.now().Add(i.c.CacheFor)}) // exp is checked each time
	}
	return claims, nil
}

func (i *introspector) post(ctx context.Context, raw string) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, introspectTime)
	defer cancel()
	form := url.Values{"token": {raw}, "token_type_hint": {"access_token"}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.c.URL, strings.NewReader(form))
	if err != nil {
		return nil, errors.New("the introspection endpoint is no URL")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.SetBasicAuth(url.QueryEscape(i.c.ClientID), url.QueryEscape(i.c.Secret)) // RFC 6749 §2.3.1
	res, err := i.client.Do(r)
	if err != nil {
		return nil, errors.New("the broker does not answer introspection: " + fetch.Describe(err))
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxIntrospected+1))
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return nil, errors.New("the broker stopped answering introspection")
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the broker answered introspection %d", res.StatusCode)
	case kind != "application/json" || len(body) > maxIntrospected:
		return nil, errors.New("the broker's answer to introspection is not what it must be")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var claims map[string]any
	if err := d.Decode(&claims); err != nil {
		return nil, errors.New("the broker's answer to introspection is not JSON")
	}
	return claims, nil
}

// introspect turns a token into a Principal by asking the broker. What it says is checked as a token's own claims are: the broker may
// know APIs that share an owner.
func (g *Guard) introspect(ctx context.Context, raw string) (Principal, *oauth.Error) {
	claims, err := g.asker.ask(ctx, raw)
	switch {
	case errors.Is(err, errInactive):
		return Principal{}, g.invalidToken("the access token is not active", err)
	case err != nil:
		return Principal{}, g.unavailable(err)
	}
	if iss, _ := claims["iss"].(string); iss != g.c.Issuer {
		return Principal{}, g.invalidToken(notAccessToken, errors.New("iss of the answer is another"))
	}
	p, fault := g.read(claims)
	if fault != nil {
		return Principal{}, g.invalidToken(fault.description, fault.cause)
	}
	return p, nil
}
