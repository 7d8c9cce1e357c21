package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"apostille/broker/introspect"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/trust/jose"
	"apostille/upstream/fake"
)

// Speed of sign-in: CPU time of this process, which has the broker with its SQLite store in it and no network, in microseconds for each
// request ("cpu-µs/op"). docs/performance.md has the bars. Where a bar is a ratio, both sides run in turns and the median counts.

// cpu is the user and system time of the process.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cost is the CPU time of one call, over n.
func cost(n int, f func()) float64 {
	from := cpu()
	for range n {
		f()
	}
	return float64(cpu()-from) / float64(n) / 1e3
}

// against reports the median of the ratios of interleaved rounds.
func against(b *testing.B, n int, f, bare func()) {
	b.Helper()
	f()
	bare()
	var ours, ratios []float64
	for range max(5, b.N/n) {
		x, y := cost(n, f), cost(n, bare)
		ours, ratios = append(ours, x), append(ratios, x/y)
	}
	slices.Sort(ours)
	slices.Sort(ratios)
	b.ReportMetric(ours[len(ours)/2], "cpu-µs/op")
	b.ReportMetric(ratios[len(ratios)/2], "x-bare")
	b.ReportMetric(0, "ns/op")
}

// post sends a form to the broker and returns the answer.
func (a *arena) post(path, user string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, ours+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if user != "" {
		r.SetBasicAuth(user, clientSecret)
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w
}

func BenchmarkSignInRefresh(b *testing.B) {
	for name, scope := range map[string]string{"access-token-only": "offline_access stock.read", "with-ID-token": "openid offline_access stock.read"} {
		b.Run(name, func(b *testing.B) {
			a := newArena(b)
			token := a.ask(b, "portal", codeForm(a.signIn(b, a.browser(), "alice", "scope", scope)), nil).Token
			refresh := func() {
				w := a.post("/oauth2/token", "portal", refreshForm(token.RefreshToken))
				token = oauth.TokenResponse{}
				if err := json.Unmarshal(w.Body.Bytes(), &token); err != nil || w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
			if refresh(); (token.IDToken != "") != strings.Contains(scope, "openid") {
				b.Fatal("an ID token where none was asked for, or none")
			}
			from := cpu()
			for b.Loop() {
				refresh()
			}
			b.ReportMetric(float64(cpu()-from)/float64(b.N)/1e3, "cpu-µs/op")
		})
	}
	b.Run("bare-RS256-signature", func(b *testing.B) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			b.Fatal(err)
		}
		sum := sha256.Sum256([]byte("x"))
		from := cpu()
		for b.Loop() {
			if _, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:]); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(cpu()-from)/float64(b.N)/1e3, "cpu-µs/op")
	})
}

// bareLookUp is what userinfo and introspection cannot do without: the signature of one of our tokens, one read of the store, JSON; and
// what any handler does with a form.
func (a *arena) bareLookUp(b *testing.B, token string) http.Handler {
	b.Helper()
	parts := strings.Split(token, ".")
	var header struct{ Kid string }
	raw, _ := base64.RawURLEncoding.DecodeString(parts[0])
	if err := json.Unmarshal(raw, &header); err != nil {
		b.Fatal(err)
	}
	keys, _, err := a.server.ring.Lookup(b.Context(), "", header.Kid, "ES256")
	if err != nil || len(keys) != 1 {
		b.Fatalf("%d keys, %v", len(keys), err)
	}
	public := keys[0].Public.(*ecdsa.PublicKey)
	secret := sha256.Sum256([]byte(clientSecret))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if _, sent, ok := r.BasicAuth(); ok {
			sum := sha256.Sum256([]byte(sent))
			if subtle.ConstantTimeCompare(sum[:], secret[:]) != 1 {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			raw = r.PostFormValue("token")
		}
		parts := strings.Split(raw, ".")
		signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		var claims map[string]any
		_ = json.Unmarshal(payload, &claims) // it was signed by us
		jti, _ := claims["jti"].(string)
		family, _ := claims["family"].(string)
		if revoked, err := a.server.store.TokenRevoked(r.Context(), jti, family); err != nil || revoked {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(claims)
	})
}

func BenchmarkSignInLookUps(b *testing.B) {
	a := newArena(b)
	forAPI, _ := a.tokens(b)
	forUs := a.ask(b, "portal", codeForm(a.signIn(b, a.browser(), "alice", "scope", "openid profile")), nil).Token.AccessToken
	serve := func(h http.Handler, r *http.Request) {
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	ask := func() *http.Request {
		r := httptest.NewRequest(http.MethodPost, ours+introspect.Path, strings.NewReader(url.Values{"token": {forAPI}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("gateway", clientSecret)
		return r
	}
	who := func() *http.Request {
		r := httptest.NewRequest(http.MethodGet, ours+"/oauth2/userinfo", nil)
		r.Header.Set("Authorization", "Bearer "+forUs)
		return r
	}
	bareAsk, bareWho := a.bareLookUp(b, forAPI), a.bareLookUp(b, forUs)
	b.Run("introspection", func(b *testing.B) {
		against(b, 500, func() { serve(a.handler, ask()) }, func() { serve(bareAsk, ask()) })
	})
	b.Run("userinfo", func(b *testing.B) {
		against(b, 500, func() { serve(a.handler, who()) }, func() { serve(bareWho, who()) })
	})
}

// BenchmarkSignInLogin is a whole login: the request, the way to the office and back, session, code. The office is a fake in this
// process, so that its work counts on both sides. The bare side goes the same way with a handful of lines: the same requests to the
// same office, the ID token's signature, and the same durable writes.
func BenchmarkSignInLogin(b *testing.B) {
	a := newArena(b, `"debug"`, `"info"`)
	b.Run("start", func(b *testing.B) {
		against(b, 200, func() { a.beginLogin(b) }, func() { a.bareStart(b) })
	})
	b.Run("start-to-code", func(b *testing.B) {
		against(b, 40, func() { a.signIn(b, a.browser(), "alice") }, func() { a.bareLogin(b) })
	})
}

// bareStart reads a request, makes state, nonce and verifier, remembers them durably, and redirects.
func (a *arena) bareStart(b *testing.B) {
	b.Helper()
	r := httptest.NewRequest(http.MethodGet, authorizeURL("state", rand.Text(), "nonce", rand.Text()), nil)
	q := r.URL.Query()
	state, nonce, verifier := rand.Text()+rand.Text(), rand.Text()+rand.Text(), rand.Text()+rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	kept, err := json.Marshal(map[string]any{"request": q, "nonce": nonce, "verifier": verifier})
	if err == nil {
		err = a.server.store.PutPending(b.Context(), "bare", state, store.Pending{Value: kept, Until: time.Now().Add(time.Minute)})
	}
	if err != nil {
		b.Fatal(err)
	}
	http.Redirect(httptest.NewRecorder(), r, a.office.Issuer()+fake.PathAuthorize+"?"+url.Values{
		"client_id": {"west"}, "response_type": {"code"}, "redirect_uri": {ours + "/login/callback/office"}, "scope": {"openid profile email"}, "state": {state},
		"nonce": {nonce}, "code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}.Encode(), http.StatusSeeOther)
}

func (a *arena) bareLogin(b *testing.B) {
	b.Helper()
	st, ctx, until := a.server.store, b.Context(), time.Now().Add(time.Minute)
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	pending := func() {
		handle := rand.Text()
		must(st.PutPending(ctx, "bare", handle, store.Pending{Value: []byte("x"), Until: until}))
		_, _, err := st.TakePending(ctx, "bare", handle)
		must(err)
	}
	sum := sha256.Sum256([]byte(portalVerifier))
	callback := ours + "/login/callback/office"
	browser := fake.NewBrowser(http.DefaultTransport)
	browser.Stop = func(u *url.URL) bool { return strings.HasPrefix(u.String(), callback) }
	page, err := browser.Open(a.office.Issuer() + fake.PathAuthorize + "?" + url.Values{
		"client_id": {"west"}, "response_type": {"code"}, "redirect_uri": {callback}, "scope": {"openid profile email"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}.Encode())
	must(err)
	page, err = browser.SignIn(page, "alice")
	must(err)
	pending() // the login
	form := url.Values{"grant_type": {"authorization_code"}, "code": {page.URL.Query().Get("code")}, "redirect_uri": {callback}, "code_verifier": {portalVerifier}}
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, a.office.Issuer()+fake.PathToken, strings.NewReader(form.Encode()))
	must(err)
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ask.SetBasicAuth("west", officeSecret)
	var token struct {
		Access string `json:"access_token"`
		ID     string `json:"id_token"`
	}
	fetch := func(r *http.Request, into any) {
		res, err := http.DefaultClient.Do(r)
		must(err)
		must(json.NewDecoder(res.Body).Decode(into))
		must(res.Body.Close())
	}
	fetch(ask, &token)
	id, err := jose.Parse(token.ID)
	must(err)
	must(id.Verify(a.office.KeySet().Lookup(id.Header.Kid, id.Header.Alg)[0]))
	info, err := http.NewRequestWithContext(ctx, http.MethodGet, a.office.Issuer()+fake.PathUserInfo, nil)
	must(err)
	info.Header.Set("Authorization", "Bearer "+token.Access)
	var claims map[string]any
	fetch(info, &claims)
	must(st.CreateSession(ctx, sha256.Sum256([]byte(rand.Text())), store.Session{
		ID: rand.Text(), Created: time.Now(), Seen: time.Now(), IdleUntil: until, Until: until,
		Identities: []store.Identity{{Trust: "office", Sub: "x", SignedIn: time.Now(), Until: until, Value: []byte("x")}},
	}))
	pending() // its result
	must(st.PutCode(ctx, store.Code{Hash: sha256.Sum256([]byte(rand.Text())), Value: []byte("x"), Until: until}))
}

// BenchmarkSignInPicker is the picker with as many offices as the bars name, as a person's keys ask for it: the page with what was typed
// (cpu-µs/op, bytes), and the results alone, of which every hundredth takes longer than p99-ms on the clock.
func BenchmarkSignInPicker(b *testing.B) {
	for _, n := range []int{5000, 8000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			a := newParties(b, "ES256")
			addOffices(b, a.path(), "portal", n)
			a.begin(b, `"debug"`, `"error"`)
			get := func(link string) *httptest.ResponseRecorder {
				w := httptest.NewRecorder()
				a.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, link, nil))
				return w
			}
			picker, err := url.Parse(get(authorizeURL()).Header().Get("Location"))
			if err != nil || picker.Query().Get("r") == "" {
				b.Fatalf("no picker: %v %v", picker, err)
			}
			var typed []string
			for _, text := range []string{"university of california los angeles", "univrsity of oxfird", "klinkum munster", "東京大学", "jo@o17.example", "e"} {
				for i := range text {
					typed = append(typed, "?r="+picker.Query().Get("r")+"&q="+url.QueryEscape(text[:i]))
				}
			}
			turn, size, ranked := 0, 0, []time.Duration{}
			show := func(path string) {
				w := get(ours + path + typed[turn%len(typed)])
				if w.Code != http.StatusOK {
					b.Fatalf("%s: %d\n%s", typed[turn%len(typed)], w.Code, w.Body)
				}
				turn, size = turn+1, max(size, w.Body.Len())
			}
			for range 20 * len(typed) {
				from := time.Now()
				show("/login/search")
				ranked = append(ranked, time.Since(from))
			}
			slices.Sort(ranked)
			from := cpu()
			for b.Loop() {
				show("/login")
			}
			b.ReportMetric(float64(cpu()-from)/float64(b.N)/1e3, "cpu-µs/op")
			b.ReportMetric(float64(size), "bytes")
			b.ReportMetric(float64(ranked[len(ranked)*99/100].Microseconds())/1e3, "p99-ms")
		})
	}
}
