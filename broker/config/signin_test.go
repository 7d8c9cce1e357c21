package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"apostille/trust"
	"apostille/upstream/oidc"
)

// The variable that configurations of these tests name; set once, before any test runs.
const secretVariable = "APOSTILLE_TEST_OFFICE_SECRET"

func TestMain(m *testing.M) {
	_ = os.Setenv(secretVariable, "hunter2-from-env") // fails only for names that are none
	os.Exit(m.Run())
}

// signIn is base with people: an application, a login and the rule that brings them together.
const signIn = base + `
[client.shop]
grants = ["authorization_code", "refresh_token"]
secret_sha256 = ["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]
redirect_uris = ["https://shop.example/callback"]
first_party = true

[trust.head-office.login]
protocol = "oidc"
client_id = "west"
client_secret = { env = "` + secretVariable + `" }

[[trust.head-office.grant]]
clients = ["shop"]
sign_in = true
`

func TestFaultsOfSignInAreReportedWhereTheyStand(t *testing.T) {
	t.Parallel()
	const secret = `client_secret = { env = "` + secretVariable + `" }`
	const uris = `redirect_uris = ["https://shop.example/callback"]`
	for _, row := range []struct{ name, old, replacement, path, text, remedy string }{
		{"a secret in a variable that is not set", secretVariable, "APOSTILLE_TEST_NOT_SET", "trust.head-office.login.client_secret.env", "APOSTILLE_TEST_NOT_SET is not set", "set it"},
		{"a secret in a file that is not there", secret, `client_secret = { file = "gone" }`, "trust.head-office.login.client_secret.file", "cannot be read", "relative paths"},
		{"a secret in an empty file", secret, `client_secret = { file = "empty" }`, "trust.head-office.login.client_secret.file", "is empty", "put the secret"},
		{"a secret of two lines", secret, `client_secret = { file = "lines" }`, "trust.head-office.login.client_secret", "control character", "one line"},
		{"a literal secret outside dev", secret, `client_secret = "hunter2"`, "trust.head-office.login.client_secret", "literal secret outside dev", "env"},
		{"a secret in two places", secret, `client_secret = { env = "A", file = "b" }`, "trust.head-office.login.client_secret", "2 places", "exactly one of env, file"},
		{"a secret in no place", secret, `client_secret = {}`, "trust.head-office.login.client_secret", "0 places", "exactly one of"},
		{"a secret in an unknown place", secret, `client_secret = { vault = "A" }`, "trust.head-office.login.client_secret.vault", "unknown key", "env"},
		{"a secret that is a number", secret, `client_secret = 7`, "trust.head-office.login.client_secret", "expected a string", "reference"},
		{"no secret and no other way", secret + "\n", "", "trust.head-office.login.client_secret", "missing", "private_key_jwt"},
		{"no secret for a way that takes one", secret, `auth = "client_secret_post"`, "trust.head-office.login.client_secret", "takes one", "env"},
		{"a secret without effect", secret, secret + "\nauth = \"none\"", "trust.head-office.login.client_secret", "no effect", "drop one"},
		{"an audience without effect", secret, secret + "\nassertion_audience = \"https://x.example\"", "trust.head-office.login.assertion_audience", "no effect without auth = private_key_jwt", "drop it"},
		{"a way that is not built", secret, secret + "\nauth = \"client_secret_jwt\"", "trust.head-office.login.auth", "not allowed", "client_secret_basic"},
		{"a protocol that is not built", `protocol = "oidc"`, `protocol = "ldap"`, "trust.head-office.login.protocol", "not allowed", "oidc"},
		{"a login without client_id", "client_id = \"west\"\n", "", "trust.head-office.login.client_id", "missing", "add it"},
		{"scopes without openid", secret, secret + "\nscopes = [\"profile\"]", "trust.head-office.login.scopes", "openid", "add openid"},
		{"a switch that is a string", secret, secret + "\nuserinfo = \"yes\"", "trust.head-office.login.userinfo", "expected true or false", "reference"},
		{"a domain that is an address", secret, secret + "\nemail_domains = [\"@x.example\"]", "trust.head-office.login.email_domains[0]", "not a domain", "lower case"},
		{"a credential of a public client", "first_party = true", "public = true", "client.shop.secret_sha256", "stands beside public = true", "remove one"},
		{"a public client that exchanges", "grants = [\"authorization_code\", \"refresh_token\"]\nsecret_sha256 = " + oneHash, "grants = [\"authorization_code\", \"token_exchange\"]\npublic = true", "client.shop.grants[1]", "public", "credential"},
		{"a redirect URI with a fragment", "/callback", "/callback#x", "client.shop.redirect_uris[0]", "fragment", "https"},
		{"a client that is no application with a consent setting", "[client.portal]", "[client.portal]\nfirst_party = true", "client.portal.first_party", "nobody signs in", "redirect_uris"},
		{"a client that is no application with a sector", "[client.portal]", "[client.portal]\nsector = \"shops\"", "client.portal.sector", "nobody signs in", "redirect_uris"},
		{"a client that is no application with a grace", "[client.portal]", "[client.portal]\nrefresh_grace = \"0s\"", "client.portal.refresh_grace", "nobody signs in", "redirect_uris"},
		{"PKCE that is neither", uris, uris + "\npkce = \"never\"", "client.shop.pkce", "not allowed", "required, optional"},
		{"a grace below nothing", uris, uris + "\nrefresh_grace = \"-1s\"", "client.shop.refresh_grace", "expected a duration", `"0s" is off`},
		{"a grace of an hour", uris, uris + "\nrefresh_grace = \"1h\"", "client.shop.refresh_grace", "cannot be used", "1m"},
		{"a sign-in rule with an API", "sign_in = true", "sign_in = true\napi = \"warehouse\"", "trust.head-office.grant[1].api", "nothing else", "remove"},
		{"a rule that is none of both", "sign_in = true", "sign_in = false\nscopes = [\"stock.read\"]", "trust.head-office.grant[1].api", "missing", "add it"},
		{"a sign-in rule of the built-in trust", "[[trust.head-office.grant]]\nclients = [\"shop\"]", "[[trust.local.grant]]\nclients = [\"shop\"]", "trust.local.grant[0].sign_in", "built-in", "login"},
		{"a language there is none of", "[api.warehouse]", "[login]\nlanguage = \"nl\"\n[api.warehouse]", "login.language", "not allowed", "en"},
		{"a session that idles longer than it lasts", "[api.warehouse]", "[login]\nsession_idle = \"13h\"\n[api.warehouse]", "login.session_idle", "no effect", "less"},
		{"a session of years", "[api.warehouse]", "[login]\nsession_max = \"9999h\"\n[api.warehouse]", "login.session_max", "more than", "less"},
		{"no room for sign-ins", "[api.warehouse]", "[login]\nunfinished = 1\n[api.warehouse]", "login.unfinished", "out of range", "100"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			issues := mustFail(t, map[string]string{
				"apostille.toml": edit(t, signIn, row.old, row.replacement), "empty": "\n", "lines": "a\nb\n",
			})
			if len(issues) != 1 {
				t.Fatalf("%d faults, want 1:\n%v", len(issues), issues)
			}
			got := issues[0]
			if got.Path != row.path || !strings.Contains(got.Text, row.text) || !strings.Contains(got.Remedy, row.remedy) || got.Line == 0 {
				t.Errorf("got %+v\nwant path %q, text with %q, remedy with %q", got, row.path, row.text, row.remedy)
			}
			if strings.Contains(got.String(), "hunter2") {
				t.Error("the report quotes a secret")
			}
		})
	}
}

// The twin of the table above, and what the file means.
func TestSignInLoads(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, map[string]string{"apostille.toml": signIn})
	if len(c.Warnings) != 0 {
		t.Errorf("warnings %v", c.Warnings)
	}
	want := oidc.LoginConfig{ClientID: "west", Secret: "hunter2-from-env", Auth: oidc.AuthBasic, Scopes: []string{"openid", "profile", "email"}, UserInfo: true, ResponseMode: oidc.ModeQuery}
	got := c.Logins["head-office"]
	if got.ClientID != want.ClientID || got.Secret != want.Secret || got.Auth != want.Auth || len(got.Scopes) != 3 || !got.UserInfo || got.ResponseMode != want.ResponseMode {
		t.Errorf("login %+v", got)
	}
	if l := c.Login; l != (Login{Name: "Apostille", Language: "en", SessionIdle: 8 * time.Hour, SessionMax: 12 * time.Hour, Remember: 8760 * time.Hour, Unfinished: 100000}) {
		t.Errorf("[login] %+v", l)
	}
	logins := c.Registry.Logins("shop")
	if len(logins) != 1 || logins[0].Spec.Login.SessionMax != trust.DefaultSessionMax {
		t.Errorf("logins %v", logins)
	}
	if text := Effective(c); strings.Contains(text, "hunter2") || !strings.Contains(text, secretVariable) {
		t.Errorf("the effective text:\n%s", text)
	}
}

func TestFormsOfSignIn(t *testing.T) {
	t.Parallel()
	const secret = `client_secret = { env = "` + secretVariable + `" }`
	load := func(old, replacement string) *Config {
		return mustLoad(t, map[string]string{"apostille.toml": edit(t, signIn, old, replacement), "secret": "hunter2-from-file\r\n"})
	}
	c := load(secret, `client_secret = { file = "secret" }`)
	if got := c.Logins["head-office"].Secret; got != "hunter2-from-file" {
		t.Errorf("from a file: %q", got)
	}
	if !strings.Contains(strings.Join(c.Files, " "), filepath.Join(c.Dir, "secret")) {
		t.Errorf("the file of a secret is not watched: %v", c.Files)
	}
	c = load(`issuer = "https://id.example"`, "issuer = \"https://id.example\"\ndev = true")
	dev := mustLoad(t, map[string]string{"apostille.toml": edit(t, "dev = true\n"+signIn, secret, `client_secret = "hunter2"`)})
	if dev.Logins["head-office"].Secret != "hunter2" || strings.Contains(Effective(dev), "hunter2") || strings.Contains(Compare(c, dev).String(), "hunter2") {
		t.Error("a literal secret in dev is lost, or shown")
	}
	c = load(secret, "auth = \"private_key_jwt\"\nassertion_audience = \"https://idp.example/token\"\nuserinfo = false\nlogout = true")
	if got := c.Logins["head-office"]; got.Auth != oidc.AuthPrivateKeyJWT || got.AssertionAudience == "" || got.UserInfo || !got.Logout {
		t.Errorf("private_key_jwt: %+v", got)
	}
	c = load("secret_sha256 = "+oneHash+"\nredirect_uris", "public = true\nrefresh_grace = \"0s\"\nid_token = { alg = \"ES256\" }\nredirect_uris")
	shop, _ := c.Registry.Client("shop")
	if _, has := c.Credentials["shop"]; has || !shop.Spec.App.Public || *shop.Spec.App.RefreshGrace != 0 || shop.Spec.App.IDTokenAlg != "ES256" {
		t.Errorf("public: %+v", shop.Spec.App)
	}
	if text := Effective(c); !strings.Contains(text, `refresh_grace = "0s"`) {
		t.Errorf("a grace that is off is not shown:\n%s", text)
	}
}

func TestTheSummarySaysWhoMaySignIn(t *testing.T) {
	t.Parallel()
	text := Summarize(mustLoad(t, map[string]string{"apostille.toml": signIn})).String()
	for _, want := range []string{
		"  people sign in with it (oidc)\n",
		"  its people may sign in to shop, which may get address email offline_access openid phone profile (by authorization_code, refresh_token, for 10m, if department is one of [\"logistics\"]) [head-office.grant[1]]\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestTheDiffSaysWhoMaySignIn(t *testing.T) {
	t.Parallel()
	old := mustLoad(t, map[string]string{"apostille.toml": signIn})
	for _, row := range []struct{ name, old, replacement, want string }{
		{"a login that is disabled with its trust", "[trust.head-office]", "[trust.head-office]\ndisabled = true", "  - head-office: shop, openid of userinfo\n"},
		{"a client that may not refresh", `["authorization_code", "refresh_token"]`, `["authorization_code"]`, "  - head-office: shop, offline_access of userinfo\n"},
		{"another redirect URI", "/callback", "/done", `~ client.shop.redirect_uris: ["https://shop.example/callback"] → ["https://shop.example/done"]`},
		{"another logo", `protocol = "oidc"`, "protocol = \"oidc\"\nlogo = \"https://x.example/l\"", "~ trust.head-office.login.logo: (not set) → "},
		{"consent", "first_party = true\n", "", "~ client.shop.first_party: true → (not set)"},
		{"another session", "[api.warehouse]", "[login]\nsession_max = \"10h\"\n[api.warehouse]", `~ login.session_max: "12h" → "10h"`},
	} {
		text := Compare(old, mustLoad(t, map[string]string{"apostille.toml": edit(t, signIn, row.old, row.replacement)})).String()
		if !strings.Contains(text, row.want) {
			t.Errorf("%s: no %q in\n%s", row.name, row.want, text)
		}
	}
}
