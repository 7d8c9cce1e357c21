package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/keys"
)

const (
	us    = "https://broker.example"
	them  = "https://idp.hq.example"
	other = "https://idp.other.example"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// signer makes tokens with the standard library only, so that what jose accepts is not what jose made.
type signer struct {
	kid string
	rsa *rsa.PrivateKey // RS256, or
	ec  *ecdsa.PrivateKey
}

func newSigner(t testing.TB, kid string) *signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{kid: kid, ec: k}
}

func newRSASigner(t testing.TB, kid string) *signer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{kid: kid, rsa: k}
}

func (s *signer) key() jose.Key {
	if s.rsa != nil {
		return jose.Key{ID: s.kid, Algs: []jose.Alg{"RS256"}, Public: &s.rsa.PublicKey}
	}
	return jose.Key{ID: s.kid, Algs: []jose.Alg{"ES256"}, Public: &s.ec.PublicKey}
}

// token signs header and payload. The header's alg and kid are the signer's unless given.
func (s *signer) token(t testing.TB, header, payload map[string]any) string {
	t.Helper()
	alg := "ES256"
	if s.rsa != nil {
		alg = "RS256"
	}
	h := map[string]any{"alg": alg, "kid": s.kid}
	maps.Copy(h, header)
	return s.sign(t, encode(t, h)+"."+encode(t, payload))
}

// sign completes "header.payload".
func (s *signer) sign(t testing.TB, input string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(input))
	var sig []byte
	var err error
	if s.rsa != nil {
		sig, err = rsa.SignPKCS1v15(rand.Reader, s.rsa, crypto.SHA256, sum[:])
	} else {
		r, v, e := ecdsa.Sign(rand.Reader, s.ec, sum[:])
		if err = e; err == nil {
			sig = append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func encode(t testing.TB, m map[string]any) string {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// fakeKeys is Keys with sets that tests change.
type fakeKeys struct {
	lookups atomic.Int64

	mu       sync.Mutex
	sets     map[string]*jose.Set
	versions map[string]uint64
	err      error
	panics   bool
}

func (k *fakeKeys) publish(id string, s ...jose.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sets == nil {
		k.sets, k.versions = map[string]*jose.Set{}, map[string]uint64{}
	}
	k.sets[id] = jose.NewSet(s...)
	k.versions[id]++
}

func (k *fakeKeys) Lookup(_ context.Context, id, kid string, alg jose.Alg) ([]jose.Key, uint64, error) {
	k.lookups.Add(1)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.panics {
		panic("library: SECRET")
	}
	if k.err != nil {
		return nil, 0, k.err
	}
	found := k.sets[id].Lookup(kid, alg)
	if len(found) == 0 {
		return nil, 0, keys.ErrUnknown
	}
	return found, k.versions[id], nil
}

func (k *fakeKeys) Version(id string) uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return 0
	}
	return k.versions[id]
}

// fixture is a broker's verifying side: trusts hq, hq-once (a second audience, one-time), other; and our own tokens.
type fixture struct {
	*Verifier
	keys          *fakeKeys
	reg           *trust.Registry
	hq, elsewhere *signer
	ours          *signer
	now           time.Time
	want, wantID  Want
	wantOwn       Want
	claims, own   map[string]any
	idTokenClaims map[string]any
}

func newFixture(t testing.TB, adjust ...func(*trust.Spec)) *fixture {
	t.Helper()
	f := &fixture{keys: &fakeKeys{}, now: epoch, hq: newSigner(t, "k1"), elsewhere: newSigner(t, "k1"), ours: newSigner(t, "o1")}
	f.reg = compile(t, adjust...)
	for _, id := range []string{"hq", "hq-once"} {
		f.keys.publish(id, f.hq.key())
	}
	f.keys.publish("other", f.elsewhere.key())
	f.keys.publish(trust.Local, f.ours.key())
	f.Verifier = &Verifier{Keys: f.keys, Now: func() time.Time { return f.now }}
	f.want = Want{Type: trust.CredentialJWT, Client: "portal"}
	f.wantID = Want{Type: trust.CredentialIDToken, Client: "portal"}
	f.wantOwn = Want{Type: trust.CredentialOwnToken, Client: "portal"}
	f.claims = map[string]any{"iss": them, "sub": "u-1", "aud": us, "iat": epoch.Unix() - 10, "exp": epoch.Unix() + 300}
	f.idTokenClaims = map[string]any{"iss": them, "sub": "u-1", "aud": "mobile", "iat": epoch.Unix() - 10, "exp": epoch.Unix() + 300, "nonce": "n"}
	f.own = map[string]any{"iss": us, "sub": "s-1", "client_id": "portal", "aud": "https://warehouse.example", "scope": "stock.read",
		"jti": "j-1", "iat": epoch.Unix() - 10, "exp": epoch.Unix() + 300, "idp": "hq"}
	return f
}

func compile(t testing.TB, adjust ...func(*trust.Spec)) *trust.Registry {
	t.Helper()
	grant := []trust.GrantSpec{{Clients: []string{"portal"}, API: "warehouse", Scopes: []string{"stock.read"}}}
	use := func(aud ...string) *trust.UseSpec { return &trust.UseSpec{Audiences: aud} }
	once := use("https://once.example")
	once.OneTime = true
	spec := trust.Spec{
		Issuer: us,
		APIs:   map[string]trust.APISpec{"warehouse": {Audience: "https://warehouse.example", Scopes: map[string]string{"stock.read": "See stock"}}},
		Clients: map[string]trust.ClientSpec{
			"portal":   {Name: "Portal", Grants: []string{"token_exchange"}, APIs: map[string][]string{"warehouse": {"stock.read"}}},
			"stranger": {Name: "Stranger", Grants: []string{"token_exchange"}, APIs: map[string][]string{"warehouse": {"stock.read"}}},
		},
		Trusts: map[string]trust.TrustSpec{
			"hq":      {Name: "HQ", Issuer: them, KeySource: "test", JWT: use(us, "https://second.example"), IDToken: use("mobile", "desktop"), Grants: grant},
			"hq-once": {Name: "HQ once", Issuer: them, KeySource: "test", JWT: once, Grants: grant},
			"other":   {Name: "Other", Issuer: other, KeySource: "test2", JWT: use(us), Grants: grant},
		},
	}
	for _, a := range adjust {
		a(&spec)
	}
	reg, problems := trust.Compile(spec)
	if len(problems) > 0 {
		t.Fatalf("policy: %+v", problems)
	}
	return reg
}

// edit copies claims and applies changes; a nil value deletes.
func edit(base, changes map[string]any) map[string]any {
	out := maps.Clone(base)
	for k, v := range changes {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

// reasonOf returns the reason of an error of Verify; "" for nil.
func reasonOf(t testing.TB, err error) trust.Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *Error: %v", err)
	}
	if n := len(e.Checks); e.Reason != trust.ReasonPanic && (n == 0 || e.Checks[n-1].OK) {
		t.Errorf("%v: the last check does not say what failed: %+v", err, e.Checks)
	}
	return e.Reason
}
