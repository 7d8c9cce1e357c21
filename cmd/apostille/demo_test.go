package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"apostille/trust/jose"
	"apostille/upstream/fake"
)

// playDemo runs the script on a configuration that edit has changed.
func playDemo(t *testing.T, edit func(text string) string) (out string, err error) {
	t.Helper()
	var buffer bytes.Buffer
	d := &demo{app: &app{stdout: &buffer, stderr: &buffer}}
	d.edit = func(file string) error {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		changed := edit(string(text))
		return os.WriteFile(file, []byte(changed), 0o600)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err = d.script(ctx)
	return buffer.String(), err
}

// replaced replaces the one place where old stands.
func replaced(t *testing.T, old, by string) func(string) string {
	return func(text string) string {
		t.Helper()
		if strings.Count(text, old) != 1 {
			t.Fatalf("%q stands %d times in the demo's configuration, not once", old, strings.Count(text, old))
		}
		return strings.Replace(text, old, by, 1)
	}
}

// cut removes what a regular expression matches, once.
func cut(t *testing.T, expression string) func(string) string {
	return func(text string) string {
		t.Helper()
		found := regexp.MustCompile(expression).FindString(text)
		if found == "" {
			t.Fatalf("%q matches nothing in the demo's configuration", expression)
		}
		return strings.Replace(text, found, "", 1)
	}
}

func TestDemoScriptIsAsTold(t *testing.T) {
	t.Parallel()
	out, err := playDemo(t, func(text string) string { return text })
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(out, "All 7 steps are as told.") {
		t.Errorf("the end does not say so:\n%s", out)
	}
	if compactJWT.MatchString(out) {
		t.Error("a token stands in the output in full")
	}
}

func TestDemoScriptFailsAtTheFirstStepThatIsNotAsTold(t *testing.T) {
	t.Parallel()
	otherKeys := filepath.Join(t.TempDir(), "other.json")
	other := fake.NewProvider(fake.Options{Issuer: "https://other.example", Alg: jose.RS256})
	if err := os.WriteFile(otherKeys, other.JWKS(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		edit func(string) string
		step string
	}{
		{"the rule of the head office is dropped", cut(t, `(?s)  \[\[trust\.head-office\.grant\]\].*?\n\n`), "exchange"},
		{"the trust wants another audience", replaced(t, "jwt = { audiences = [", `jwt = { audiences = ["https://elsewhere.example"] } # `), "exchange"},
		{"the keys of the trust are others", replaced(t, "{ discovery = true }\nrequire", `{ jwks_file = "`+otherKeys+`" }`+"\nrequire"), "exchange"},
		{"the trust requires another department", replaced(t, `["logistics", "sales"]`, `["catering"]`), "exchange"},
		{"the API has another audience", replaced(t, `audience = "`, `audience = "https://elsewhere.example" # `), "accepted"},
		{"the API's tokens are of another type", replaced(t, "[api.warehouse]", "[api.warehouse]\ntoken = { typ = \"JWT\" }"), "accepted"},
		{"the rule grants more", replaced(t, `scopes   = ["stock.read"]
  when     = `, `scopes = ["stock.read", "stock.order"]
  when     = `), "refused"},
		{"the partner's rule is dropped", cut(t, `(?s)\[\[trust\.local\.grant\]\].*`), "partner"},
		{"the partner has another secret", replaced(t, ddstoreSecret, "changed-since"), "partner"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := playDemo(t, tt.edit)
			if err == nil || !strings.Contains(err.Error(), "("+tt.step+") is not as told") {
				t.Errorf("want a failure at %q, got %v\n%s", tt.step, err, out)
			}
		})
	}
}

func TestDemoSaysWhyItsBrokerDoesNotStart(t *testing.T) {
	t.Parallel()
	_, err := playDemo(t, replaced(t, `"stock.read" = `, `stock_read = `))
	if err == nil || !strings.Contains(err.Error(), "exit code 2") || !strings.Contains(err.Error(), "stock.read") {
		t.Errorf("got %v", err)
	}
}

// lines collects output and tells when a line that holds some text is there.
type lines struct {
	bytes.Buffer
	until string
	there chan struct{}
}

func (l *lines) Write(b []byte) (int, error) {
	before := strings.Contains(l.String(), l.until)
	n, err := l.Buffer.Write(b)
	if !before && strings.Contains(l.String(), l.until) {
		close(l.there)
	}
	return n, err
}

// TestDemoCommandsCanBeCopied runs the printed commands in a shell, beside the demo as people start it.
func TestDemoCommandsCanBeCopied(t *testing.T) {
	t.Parallel()
	out := &lines{until: "Ctrl-C", there: make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"demo", "--port-base", "0"}, strings.NewReader(""), out, out) }()
	select {
	case <-out.there:
	case code := <-ended:
		t.Fatalf("it ended with %d:\n%s", code, out)
	case <-time.After(30 * time.Second):
		t.Fatal("it does not start")
	}
	told := out.String()
	shell := exec.CommandContext(ctx, "bash", "-c", copied(told)+"\necho; echo \"${HQ_TOKEN:0:3} ${STOCK_TOKEN:0:3}\"")
	answers, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, answers)
	}
	for _, want := range []string{"exchange it at http://west.localhost:", `"idp":"head-office"`, `"invalid_scope"`, `"pallets":4`, "\neyJ eyJ\n"} {
		if !strings.Contains(string(answers), want) {
			t.Errorf("%s is not in\n%s", want, answers)
		}
	}
	file := regexp.MustCompile(`configuration, (\S+):`).FindStringSubmatch(told)[1]
	if _, err := os.Stat(file); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	stop()
	if code := <-ended; code != exitOK {
		t.Errorf("stopped with exit code %d", code)
	}
	if _, err := os.Stat(filepath.Dir(filepath.Dir(file))); !os.IsNotExist(err) {
		t.Errorf("the folder was not removed: %v", err)
	}
}

// copied takes the commands out of the story, apart from explain: the program that runs here is the test.
func copied(told string) string {
	var commands []string
	_, told, _ = strings.Cut(told, "Copy this")
	for line := range strings.Lines(told) {
		if text, ok := strings.CutPrefix(line, "   "); ok && !strings.Contains(text, "explain --config") {
			commands = append(commands, strings.TrimSuffix(text, "\n"))
		}
	}
	return strings.Join(commands, "\n")
}

func TestDemoPortsAreChosen(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		base int
		ok   bool
	}{
		{"zero means free ones", 0, true},
		{"there are none below zero", -1, false},
		{"the fourth must be a port too", 65533, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := openPlaces(tt.base)
			if (err == nil) != tt.ok {
				t.Fatalf("got %v", err)
			}
			if err == nil && (portOf(p.headOffice) == 0 || p.broker == 0 || p.close() != nil) {
				t.Errorf("got %+v", p)
			}
		})
	}
}

// TestOnlyTheDemoKnowsFakes: a program that can mint any claim has no place behind serve.
func TestOnlyTheDemoKnowsFakes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	users := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || !strings.Contains(string(content(t, ".", name)), `"apostille/upstream/fake"`) {
			continue
		}
		users++
		if !strings.HasPrefix(name, "demo") {
			t.Errorf("%s imports upstream/fake", name)
		}
	}
	if users == 0 {
		t.Error("nobody imports upstream/fake: this test looks at the wrong place")
	}
}
