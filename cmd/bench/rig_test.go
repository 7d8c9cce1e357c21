package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

func TestTheSetupIsTOMLWithAllTrustsAndClients(t *testing.T) {
	t.Parallel()
	r := &rig{dir: "/tmp/bench", secret: strings.Repeat("0", 64)}
	var doc struct {
		Issuer string
		Client map[string]struct{ Apis map[string][]string }
		Trust  map[string]struct {
			Issuer string
			Keys   map[string]string
			Grant  []struct{ Clients []string }
		}
	}
	files := setup{trusts: 3, clients: 2, keys: func(i int) (string, string) {
		return fmt.Sprint("https://", i), `{ jwks_url = "http://127.0.0.1:1/jwks" }`
	}}.files(r)
	for name, text := range files {
		if _, err := toml.Decode(text, &doc); err != nil {
			t.Fatalf("%s: %v in\n%s", name, err, text)
		}
	}
	if len(files) != 4 || len(doc.Trust) != 3 || len(doc.Client) != 2 || doc.Issuer != benchBroker {
		t.Errorf("%d files, %d trusts, %d clients, issuer %q", len(files), len(doc.Trust), len(doc.Client), doc.Issuer)
	}
	if second := doc.Trust["idp-1"]; second.Issuer != "https://1" || len(second.Keys) != 1 || len(second.Grant) != 1 {
		t.Errorf("the second trust is %+v", second)
	}
}

func TestAServerIsReadyWhenItSaysWhereItListens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, said, addr string }{
		{"the line alone", `{"level":"INFO","msg":"listening","addr":"127.0.0.1:1"}`, "127.0.0.1:1"},
		{"after other lines", "{\"msg\":\"keys loaded\"}\nplain text\n{\"msg\":\"listening\",\"addr\":\"127.0.0.1:2\"}", "127.0.0.1:2"},
		{"the metrics listener first", "{\"msg\":\"listening\",\"addr\":\"127.0.0.1:3\",\"listener\":\"metrics\"}\n" +
			"{\"msg\":\"listening\",\"addr\":\"127.0.0.1:4\"}", "127.0.0.1:4"},
		{"it ends with an error", "configuration is wrong\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			listening := make(chan string, 1)
			awaitListening(strings.NewReader(c.said+"\n"), listening)
			said := <-listening
			if addr := addrOf([]byte(said)); addr != c.addr {
				t.Errorf("address %q, wanted %q", addr, c.addr)
			}
			if c.addr == "" && !strings.Contains(said, strings.TrimSpace(c.said)) {
				t.Errorf("what it said is lost: %q", said)
			}
		})
	}
}

func TestProcFiguresAreReadDespiteOddNames(t *testing.T) {
	t.Parallel()
	cpu, err := parseStat([]byte("7 (a (b) c) S 1 7 7 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 9 0 100 1 2 3"))
	if err != nil || cpu != 2*time.Second {
		t.Errorf("CPU %v, error %v, wanted 2s", cpu, err)
	}
	if _, err := parseStat([]byte("7 (short) S 1")); err == nil {
		t.Error("a cut stat was read")
	}
	resident, err := parseResident([]byte("Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t9\n"))
	if err != nil || resident != 2<<20 {
		t.Errorf("resident %d, error %v", resident, err)
	}
	if _, err := parseResident([]byte("Name:\tx\n")); err == nil {
		t.Error("a status without VmRSS was read")
	}
}

func TestAMissedBarIsMarkedAndCounted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &report{out: &out}
	r.atMost("held", 1.0, 1.5, "%.2f x")
	r.atMost("broken", 1.6, 1.5, "%.2f x")
	r.atLeast("enough", 6000, 5000, "%.0f/s")
	r.atLeast("too few", 4000, 5000, "%.0f/s")
	r.end()
	if r.missed != 2 || strings.Count(out.String(), "MISSED") != 2 || !strings.Contains(out.String(), "2 bars missed") {
		t.Errorf("missed %d:\n%s", r.missed, out.String())
	}
}

func TestWrongUsageSaysSo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, 2, "usage"},
		{[]string{"walk"}, 2, "usage"},
		{[]string{"run", "-parts", "nothing"}, 1, `"nothing" is none of floor`},
		{[]string{"load", "-url", "http://192.0.2.1/oauth2/token"}, 1, "not on a loopback address"},
		{[]string{"floor", "-secret-sha256", "abc"}, 1, "64 hex digits"},
	} {
		var stderr bytes.Buffer
		if code := run(t.Context(), c.args, io.Discard, &stderr); code != c.code || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%v: code %d, says %q", c.args, code, stderr.String())
		}
	}
}

func TestRoundsAreComparedWithTheirNeighbours(t *testing.T) {
	t.Parallel()
	// The machine was three times as slow in the middle, for both.
	ours, yardstick := []time.Duration{20, 60, 20}, []time.Duration{10, 30, 10}
	if got := neighbours(ours, yardstick); got != 2 {
		t.Errorf("%v, wanted 2", got)
	}
}

func TestClaimRatesAreReadFromABenchmark(t *testing.T) {
	t.Parallel()
	rates, err := claimRates("goos: linux\nBenchmarkClaim-2   \t   10000\t    112345 ns/op\t      8901.5 claims/s\t     900 B/op\n" +
		"BenchmarkClaim \t 9 \t 1.0 ns/op \t 1.2e+04 claims/s\nPASS\n")
	if err != nil || len(rates) != 2 || rates[0] != 8901.5 || rates[1] != 12000 {
		t.Errorf("rates %v, error %v", rates, err)
	}
	if _, err := claimRates("PASS\n"); err == nil {
		t.Error("no figure, and no error")
	}
}
