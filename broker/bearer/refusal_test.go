package bearer_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"apostille/upstream/fake"
	"apostille/upstream/keys"
)

// RFC 6750 §2: one method, one header; §3.1: which status and code.
func TestHowATokenMayBeSent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	good := b.token(nil)
	for _, tt := range []struct {
		name    string
		headers []string // Authorization
		query   string
		form    string
		status  int
		code    string // "" = no error code and no body
	}{
		{name: "one header", headers: []string{"Bearer " + good}, status: 200},
		{name: "a scheme in small letters", headers: []string{"bearer " + good}, status: 200},
		{name: "a scheme in capitals", headers: []string{"BEARER " + good}, status: 200},
		{name: "several spaces", headers: []string{"Bearer   " + good}, status: 200},
		{name: "an ordinary parameter beside it", headers: []string{"Bearer " + good}, query: "?page=2", status: 200},
		{name: "no header", status: 401},
		{name: "an empty header", headers: []string{""}, status: 401},
		{name: "another scheme", headers: []string{"Basic YTpi"}, status: 401},
		{name: "a scheme that begins like ours", headers: []string{"BearerX " + good}, status: 401},
		{name: "two headers", headers: []string{"Bearer " + good, "Bearer " + good}, status: 400, code: "invalid_request"},
		{name: "two headers of two schemes", headers: []string{"Basic YTpi", "Bearer " + good}, status: 400, code: "invalid_request"},
		{name: "no token", headers: []string{"Bearer"}, status: 400, code: "invalid_request"},
		{name: "two tokens", headers: []string{"Bearer " + good + " " + good}, status: 400, code: "invalid_request"},
		{name: "two tokens with a comma", headers: []string{"Bearer " + good + ",Bearer " + good}, status: 400, code: "invalid_request"},
		{name: "a quoted token", headers: []string{`Bearer "` + good + `"`}, status: 400, code: "invalid_request"},
		{name: "a tab", headers: []string{"Bearer \t" + good}, status: 400, code: "invalid_request"},
		{name: "a token in the URL", query: "?access_token=" + good, status: 400, code: "invalid_request"},
		{name: "a token in the URL and one in the header", headers: []string{"Bearer " + good}, query: "?access_token=" + good, status: 400, code: "invalid_request"},
		{name: "a token in the body", form: "access_token=" + good, status: 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("POST", "/stock"+tt.query, strings.NewReader(tt.form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header["Authorization"] = tt.headers
			a := b.do(r, "stock.read")
			if a.Code != tt.status || a.reached != (tt.status == 200) {
				t.Fatalf("status %d, handler reached: %v", a.Code, a.reached)
			}
			if tt.status == 200 {
				return
			}
			if got := a.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
			if !strings.HasPrefix(a.challenge(), `Bearer realm="`) || strings.Contains(a.challenge(), "error=") != (tt.code != "") {
				t.Errorf("challenge %s", a.challenge())
			}
			if tt.code == "" && a.Body.Len() != 0 {
				t.Errorf("body %s", a.Body)
			}
			if tt.code != "" {
				if code, _ := a.problem(t); code != tt.code {
					t.Errorf("error %s", code)
				}
			}
		})
	}
}

func TestTheFirstChallengeNamesScopeAndMetadata(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	a := b.do(httptest.NewRequest("GET", "/stock", nil), "stock.read", "stock.order")
	want := `Bearer realm="https://warehouse.west.example", scope="stock.read stock.order", ` +
		`resource_metadata="https://warehouse.west.example/.well-known/oauth-protected-resource"`
	if a.challenge() != want {
		t.Errorf("challenge %s\nwant      %s", a.challenge(), want)
	}
	if a := b.do(httptest.NewRequest("GET", "/stock", nil)); strings.Contains(a.challenge(), "scope=") {
		t.Errorf("without scopes: %s", a.challenge())
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, tt := range []struct {
		name     string
		has      string
		required []string
		passes   bool
	}{
		{"the one it needs", "stock.read", []string{"stock.read"}, true},
		{"more than it needs", "stock.read stock.order", []string{"stock.read"}, true},
		{"all of two", "stock.order stock.read", []string{"stock.read", "stock.order"}, true},
		{"none needed, none had", "", nil, true},
		{"one of two", "stock.read", []string{"stock.read", "stock.order"}, false},
		{"none", "", []string{"stock.read"}, false},
		{"a prefix", "stock", []string{"stock.read"}, false},
		{"another case", "Stock.Read", []string{"stock.read"}, false},
		{"a wildcard", "*", []string{"stock.read"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := b.call(b.token(changes{"scope": tt.has}), tt.required...)
			if a.reached != tt.passes {
				t.Fatalf("status %d %s", a.Code, a.Body)
			}
			if tt.passes {
				return
			}
			needed := strings.Join(tt.required, " ")
			if code, says := a.problem(t); a.Code != http.StatusForbidden || code != "insufficient_scope" || says != "this needs the scope "+needed {
				t.Errorf("status %d, %s: %s", a.Code, code, says)
			}
			if !strings.Contains(a.challenge(), `error="insufficient_scope"`) || !strings.Contains(a.challenge(), `, scope="`+needed+`"`) {
				t.Errorf("challenge %s", a.challenge())
			}
		})
	}
}

func TestRequirePanicsForWhatIsNoScope(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, s := range []string{"", "stock.read stock.order", `stock"read`, "stöck"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("accepted %q", s)
				}
			}()
			b.guard.Require(s)
		}()
	}
	b.guard.Require("stock.read", "urn:west:stock/order")
}

// When no key can be had the token is not judged: a 401 would make callers throw good tokens away.
func TestR04_WithoutKeysTheAnswerIs503(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	good := b.token(nil)
	b.source.err = keys.ErrUnavailable
	a := b.call(good)
	code, _ := a.problem(t)
	if a.reached || a.Code != http.StatusServiceUnavailable || code != "temporarily_unavailable" {
		t.Errorf("status %d %s", a.Code, a.Body)
	}
	if a.Header().Get("Retry-After") != "10" || a.challenge() != "" {
		t.Errorf("header %v", a.Header())
	}
	b.source.err = nil
	if a := b.call(good); !a.reached {
		t.Errorf("the twin: status %d", a.Code)
	}
}

// What only the log may know never reaches an answer, and the token reaches neither.
func TestCausesStayInTheLog(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.source.err = errors.New("dial tcp 10.20.0.7:443: connection refused")
	raw := b.token(nil)
	a := b.call(raw)
	seen := a.Body.String() + a.challenge()
	if strings.Contains(seen, "10.20.0.7") || !strings.Contains(b.log.String(), "10.20.0.7") {
		t.Errorf("answer %s\nlog %s", seen, b.log)
	}
	signature := raw[strings.LastIndex(raw, ".")+1:]
	payload := strings.Split(raw, ".")[1]
	for _, part := range []string{signature, payload} {
		if strings.Contains(seen, part) || strings.Contains(b.log.String(), part) {
			t.Error("the token is in the answer or the log")
		}
	}
}

// A long issuer with line breaks neither fills the log nor forges a line of it.
func TestAForeignIssuerIsCutAndQuotedInTheLog(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	evil := "https://evil.example\nlevel=ERROR msg=forged" + strings.Repeat("x", 4000)
	b.call(b.token(changes{"iss": evil}, fake.Typ("at+jwt")))
	if log := b.log.String(); strings.Count(log, "\n") != 1 || len(log) > 1000 {
		t.Errorf("%d lines, %d bytes", strings.Count(log, "\n"), len(log))
	}
}
