package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	weakJWKS = `{"keys":[{"kty":"RSA","kid":"w","n":"sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1WlUzewbgBHod5pcM9H95GQRV3JDXboIRROSBigeC5yjU1hGzHHyXss8UDprecbAYxknTcQkhslANGRUZmdTOQ5qTRsLAt6BTYuyvVRdhS8exSZEy_c4","e":"AQAB"}]}`
	oneHash  = `["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]`
)

// Each row changes one thing about a file that loads; exactly that fault must be reported, where it stands.
func TestL34_OneFaultIsReportedWhereItStands(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, old, replacement string
		path                   string
		at                     string // text that stands on the reported line; "" = the replacement
		text, remedy           string
	}{
		{"a misspelt key names the nearest one", `audience = "https://w`, `audiance = "https://w`, "api.warehouse.audiance", "", `unknown key "audiance"`, "did you mean audience?"},
		{"a key in other case is not the key (L34)", `[api.warehouse]`, "[api.warehouse]\nAudience = \"x\"", "api.warehouse.Audience", `Audience = "x"`, `unknown key`, "case-sensitive: write audience"},
		{"a top-level key in other case is not the key (L34)", `issuer = "https://id.example"`, "issuer = \"https://id.example\"\nISSUER = \"https://evil.example\"", "ISSUER", "ISSUER =", "unknown key", "write issuer"},
		{"an unknown key deep in an array of tables has its index", `when = { level = 3 }`, `wenn = { level = 3 }`, "trust.head-office.grant[0].wenn", "", "unknown key", "did you mean when?"},
		{"an unknown key in an inline table is found", `keys = { discovery = true }`, `keys = { discovery = true, cache = 1 }`, "trust.head-office.keys.cache", "", "unknown key", "allowed here"},
		{"a string where an array belongs", `clients = ["portal"]`, `clients = "portal"`, "trust.head-office.grant[0].clients", "", "expected an array of strings, got a string", "reference"},
		{"a number where a string belongs", `api = "warehouse"`, `api = 7`, "trust.head-office.grant[0].api", "", "expected a string, got 7", "reference"},
		{"an element of the wrong type has its index", `grants = ["token_exchange"]`, `grants = ["token_exchange", 1]`, "client.portal.grants[1]", "", "expected a string, got 1", "reference"},
		{"a table where tables in an array belong", `[[trust.head-office.grant]]`, `[trust.head-office.grant]`, "trust.head-office.grant", "", "[[trust.head-office.grant]]", "reference"},
		{"a duration without a unit", `[[trust.head-office.grant]]`, "[[trust.head-office.grant]]\nlifetime = 600", "trust.head-office.grant[0].lifetime", "lifetime = 600", "expected a duration above zero, got 600", `"10m"`},
		{"a negative duration", `[[trust.head-office.grant]]`, "[[trust.head-office.grant]]\nlifetime = \"-1m\"", "trust.head-office.grant[0].lifetime", "lifetime =", `got the string "-1m"`, `"10m"`},
		{"a trust without keys (A21)", "keys = { discovery = true }\n", "", "trust.head-office.keys", "[trust.head-office]", "missing", "Where its keys come from"},
		{"a trust with an empty key table (A21)", `keys = { discovery = true }`, `keys = {}`, "trust.head-office.keys", "", "none of discovery", "exactly one of"},
		{"a trust with two key sources", `keys = { discovery = true }`, `keys = { discovery = true, jwks_url = "https://x.example/k" }`, "trust.head-office.keys.jwks_url", "", "stands beside discovery", "exactly one of"},
		{"discovery that is switched off", `keys = { discovery = true }`, `keys = { discovery = false }`, "trust.head-office.keys.discovery", "", "can only be true", "another key source"},
		{"no certificates at all (A21)", `keys = { discovery = true }`, `keys = { certificates = [] }`, "trust.head-office.keys.certificates", "", "0 elements", "1 to 100"},
		{"a key file that is not there", `keys = { discovery = true }`, `keys = { jwks_file = "gone.json" }`, "trust.head-office.keys.jwks_file", "", "cannot be read", "relative paths"},
		{"a key file that is a folder", `keys = { discovery = true }`, `keys = { jwks_file = "." }`, "trust.head-office.keys.jwks_file", "", "not a regular file", "relative paths"},
		{"a weak RSA key (A53)", `keys = { discovery = true }`, `keys = { jwks_file = "weak.json" }`, "trust.head-office.keys.jwks_file", "", "1024", "replace or remove"},
		{"a CA certificate where the signer's belongs (A75)", `keys = { discovery = true }`, `keys = { certificates = ["ca.pem"] }`, "trust.head-office.keys.certificates[0]", "", "ca.pem", "not of its CA"},
		{"a private key where a public one belongs", `keys = { discovery = true }`, `keys = { certificates = ["private.pem"] }`, "trust.head-office.keys.certificates[0]", "", "private.pem", "PUBLIC KEY"},
		{"keys over http outside dev", `keys = { discovery = true }`, `keys = { jwks_url = "http://idp.example/k" }`, "trust.head-office.keys.jwks_url", "", "anybody on the way", "https"},
		{"a password in a URL", `keys = { discovery = true }`, `keys = { jwks_url = "https://u:hunter2@idp.example/k" }`, "trust.head-office.keys.jwks_url", "", "…@idp.example", "without user"},
		{"staleness of keys that are never fetched", `keys = { discovery = true }`, "keys = { jwks_file = \"good.json\" }\nmax_stale = \"1h\"", "trust.head-office.max_stale", "max_stale", "no effect", "drop it"},
		{"TLS roots for keys that are never fetched", `keys = { discovery = true }`, "keys = { jwks_file = \"good.json\" }\nca_file = \"ca.pem\"", "trust.head-office.ca_file", "ca_file", "no effect", "drop it"},
		{"TLS roots without a certificate", `keys = { discovery = true }`, "keys = { discovery = true }\nca_file = \"good.json\"", "trust.head-office.ca_file", "ca_file", "no certificate", "CERTIFICATE"},
		{"an algorithm that does not exist here", `keys = { discovery = true }`, "keys = { discovery = true }\nalgorithms = [\"HS256\"]", "trust.head-office.algorithms[0]", "algorithms", `"HS256" is not allowed`, "RS256"},
		{"an exchange without audiences (A63)", `jwt = { audiences = ["https://id.example"] }`, `jwt = { one_time = true }`, "trust.head-office.exchange.jwt.audiences", "", "missing", "aud"},
		{"an exchange with an empty list of audiences (A63)", `jwt = { audiences = ["https://id.example"] }`, `jwt = { audiences = [] }`, "trust.head-office.exchange.jwt.audiences", "", "0 elements", "at least 1"},
		{"an exchange for an empty audience (A63)", `jwt = { audiences = ["https://id.example"] }`, `jwt = { audiences = [""] }`, "trust.head-office.exchange.jwt.audiences[0]", "", "empty string", "leave the key out"},
		{"a literal secret outside dev", `secret_sha256 = ` + oneHash, `secret = "hunter2"`, "client.portal.secret", "", "literal secret outside dev", "apostille client new"},
		{"a client that cannot prove itself", `secret_sha256 = ` + oneHash + "\n", "", "client.portal", "[client.portal]", "nothing to authenticate with", "apostille client new"},
		{"a client with two kinds of credential", `[client.portal]`, "[client.portal]\njwks_file = \"good.json\"", "client.portal.jwks_file", "jwks_file", "stands beside secret_sha256", "exactly one of"},
		{"a hash that is not one", oneHash, `["abc"]`, "client.portal.secret_sha256[0]", "", "64 hexadecimal digits, got 3", "apostille client new"},
		{"the hash of an empty secret (A53)", oneHash, `["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]`, "client.portal.secret_sha256[0]", "", "empty secret", "apostille client new"},
		{"a grant type that does not exist", `["token_exchange"]`, `["token-exchange"]`, "client.portal.grants[0]", "", `"token-exchange" is not allowed`, "did you mean token_exchange?"},
		{"a condition with two tests", `level = 3`, `level = { prefix = "a", suffix = "b" }`, "trust.head-office.grant[0].when.level", "", "2 tests", "exactly one of exact"},
		{"a condition with a test that does not exist", `level = 3`, `level = { matches = "a" }`, "trust.head-office.grant[0].when.level.matches", "", "unknown key", "allowed here"},
		{"a condition that holds for everything", `level = 3`, `level = { prefix = "" }`, "trust.head-office.grant[0].when.level.prefix", "", "empty string", "value"},
		{"a condition that never holds", `level = 3`, `level = []`, "trust.head-office.grant[0].when.level", "", "empty array", "at least one"},
		{"a condition on a date", `level = 3`, `level = 2026-01-02`, "trust.head-office.grant[0].when.level", "", "got a date", "reference"},
		{"a rule for an API that is not there", `api = "warehouse"`, `api = "stockroom"`, "trust.head-office.grant[0].api", "", "stockroom", ""},
		{"a scope that nobody defines", `scopes = ["stock.read"]`, `scopes = ["stock.write"]`, "trust.head-office.grant[0].scopes[0]", "", "stock.write", ""},
		{"a wildcard scope", `scopes = ["stock.read"]`, `scopes = ["stock.*"]`, "trust.head-office.grant[0].scopes[0]", "", "wildcard", ""},
		{"an http issuer of our own", `issuer = "https://id.example"`, `issuer = "http://id.example"`, "issuer", "", "http", ""},
		{"no issuer of our own", `issuer = "https://id.example"` + "\n\n[api", "[api", "issuer", "-", "missing", "https://"},
		{"the same value twice in a list", `grants = ["token_exchange"]`, `grants = ["token_exchange", "token_exchange"]`, "client.portal.grants[1]", "", "twice", "drop one"},
		{"the built-in trust has no issuer", `[trust.head-office]`, "[trust.local]\nissuer = \"https://x.example\"\n[trust.head-office]", "trust.local.issuer", `issuer = "https://x`, "unknown key", "allowed here: grant"},
		{"plain HTTP on a public address", `[api.warehouse]`, "[listener]\naddress = \":8080\"\n[api.warehouse]", "listener.address", "address =", "plain HTTP beyond loopback", "listener.tls"},
		{"an address without a port", `[api.warehouse]`, "[metrics]\naddress = \"127.0.0.1\"\n[api.warehouse]", "metrics.address", "address =", "not host:port", "127.0.0.1:8080"},
		{"half a certificate", `[api.warehouse]`, "[listener]\ntls = { cert = \"ca.pem\" }\n[api.warehouse]", "listener.tls.key", "tls =", "missing", "private key"},
		{"a certificate without its key", `[api.warehouse]`, "[listener]\ntls = { cert = \"ca.pem\", key = \"good.json\" }\n[api.warehouse]", "listener.tls", "tls =", "", "private key of the leaf"},
		{"an address where a range belongs", `[api.warehouse]`, "[outbound]\nallow = [\"10.0.0.1\"]\n[api.warehouse]", "outbound.allow[0]", "allow", "not an address range", "/32"},
		{"a range with stray bits", `[api.warehouse]`, "[outbound]\nallow = [\"10.0.0.1/8\"]\n[api.warehouse]", "outbound.allow[0]", "allow", "bits beyond", `"10.0.0.0/8"`},
		{"a store that forgets, outside dev", `[api.warehouse]`, "[store]\npath = \"memory\"\n[api.warehouse]", "store.path", "path =", "forgets", "dev = true"},
		{"a body limit out of range", `[api.warehouse]`, "[listener]\nmax_body = 1\n[api.warehouse]", "listener.max_body", "max_body", "out of range", "4096"},
		{"a rate that is no number", `[api.warehouse]`, "[limits]\nper_ip = { rate = nan }\n[api.warehouse]", "limits.per_ip.rate", "per_ip", "out of range", "0 to"},
		{"a log level that does not exist", `[api.warehouse]`, "[log]\nlevel = \"warning\"\n[api.warehouse]", "log.level", "level =", "not allowed", "did you mean warn?"},
		{"a duplicate key", `api = "warehouse"`, "api = \"warehouse\"\napi = \"warehouse\"", "trust.head-office.grant.api", "-", "not TOML", "syntax"},
		{"twenty thousand levels (L34)", `level = 3`, "level = " + strings.Repeat("[", 20000) + strings.Repeat("]", 20000), "", "level =", "nested deeper", "flatten"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			text := edit(t, base, row.old, row.replacement)
			files := map[string]string{
				"apostille.toml": text, "weak.json": weakJWKS, "good.json": keyFile(t, "head-office.jwks.json"), "ca.pem": keyFile(t, "cluster-ca.pem"),
				"private.pem": "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n",
			}
			issues := mustFail(t, files)
			if len(issues) != 1 {
				t.Fatalf("%d faults, want 1:\n%v", len(issues), issues)
			}
			got := issues[0]
			if got.Path != row.path || !strings.Contains(got.Text, row.text) || !strings.Contains(got.Remedy, row.remedy) || got.Remedy == "" {
				t.Errorf("got %+v\nwant path %q, text with %q, remedy with %q", got, row.path, row.text, row.remedy)
			}
			if row.at == "" {
				row.at = row.replacement
			}
			if row.at != "-" && got.Line != lineOf(t, text, row.at) {
				t.Errorf("line %d, want %d", got.Line, lineOf(t, text, row.at))
			}
			if filepath.Base(got.File) != "apostille.toml" {
				t.Errorf("file %q", got.File)
			}
			if strings.Contains(got.String(), "hunter2") {
				t.Error("the report quotes a secret")
			}
		})
	}
}

// The twin of the table above.
func TestTheUnchangedFileLoads(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, map[string]string{"apostille.toml": base})
	if c.Registry == nil || len(c.Warnings) != 0 {
		t.Errorf("registry %v, warnings %v", c.Registry, c.Warnings)
	}
}

func TestAllFaultsAreReportedAtOnceInOrder(t *testing.T) {
	t.Parallel()
	issues := mustFail(t, map[string]string{
		"apostille.toml":      edit(t, edit(t, base, "clients = [", "client = ["), "audience =", "Audience ="),
		"trust.d/broken.toml": "[trust.a]\nissuer = \n",
		"trust.d/other.toml":  "[trust.b]\nissuer = 7\nkeys = { jwks_file = \"gone\" }\n[trust.b.exchange]\njwt = { audiences = [\"x\"] }\n",
	})
	var got []string
	for i, issue := range issues {
		got = append(got, filepath.Base(issue.File)+" "+issue.Path)
		if i > 0 && issues[i-1].File == issue.File && issues[i-1].Line > issue.Line {
			t.Errorf("not sorted: %v before %v", issues[i-1], issue)
		}
		if issue.Line == 0 || !strings.Contains(issues.Error(), issue.String()) {
			t.Errorf("%v has no line, or is not in the error text", issue)
		}
	}
	for _, want := range []string{
		"apostille.toml api.warehouse.Audience", "apostille.toml trust.head-office.grant[0].client",
		"other.toml trust.b.issuer", "other.toml trust.b.keys.jwks_file",
	} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%q is missing among\n%s", want, strings.Join(got, "\n"))
		}
	}
	if !strings.Contains(issues.Error(), "broken.toml:2: ") {
		t.Errorf("the syntax error has no place:\n%v", issues)
	}
}

// A file cut off anywhere, or with any line gone, loads with a registry or is refused with a place.
func TestAMutilatedFileIsRefusedWithAPlaceOrLoads(t *testing.T) {
	t.Parallel()
	lines := strings.SplitAfter(base, "\n")
	var broken []string
	for i := range lines {
		broken = append(broken, strings.Join(lines[:i], ""), strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), ""))
		broken = append(broken, strings.Join(lines[:i], "")+lines[i][:len(lines[i])/2])
	}
	for _, piece := range []string{`"`, "[", "]", "{", "}", "=", ",", "true", "3"} {
		broken = append(broken, strings.ReplaceAll(base, piece, ""), strings.ReplaceAll(base, piece, piece+piece))
	}
	path := filepath.Join(t.TempDir(), "apostille.toml")
	for _, text := range broken {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path)
		var issues Issues
		switch {
		case err == nil && c.Registry == nil:
			t.Errorf("no registry from\n%s", text)
		case err != nil && (!errors.As(err, &issues) || len(issues) == 0):
			t.Errorf("%v from\n%s", err, text)
		}
	}
}
