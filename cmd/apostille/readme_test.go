package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// block is a fenced block of a Markdown text.
type block struct {
	language string
	line     int
	text     string
}

// blocks returns the fenced blocks in their order.
func blocks(markdown string) []block {
	var out []block
	open := false
	for i, line := range strings.Split(markdown, "\n") {
		switch language, fence := strings.CutPrefix(line, "```"); {
		case fence && open:
			open = false
		case fence:
			open = true
			out = append(out, block{language: language, line: i + 1})
		case open:
			out[len(out)-1].text += line + "\n"
		}
	}
	return out
}

// textMatches compares output with what the README shows; "…" stands for any text within a line.
func textMatches(shown, got string) bool {
	parts := strings.Split(strings.TrimSpace(shown), "…")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".+") + "$").MatchString(strings.TrimSpace(got))
}

// TestReadmeIsTrue executes every sh block of the README, in order, in an empty folder, in one shell, and compares what a text
// block after it shows. Nothing else is executed. Only the ports are others: the README's may be taken.
func TestReadmeIsTrue(t *testing.T) {
	t.Parallel()
	readme := string(content(t, filepath.Join("..", ".."), "README.md"))
	listen, metrics := freeQuietPort(t), freeQuietPort(t)
	ports := []string{":8080", ":" + listen, ":9090", ":" + metrics}
	for _, shown := range []string{"7101", "7102", "7103", "7104"} { // with and without a colon: one stands in a sed script
		ports = append(ports, shown, freeQuietPort(t))
	}
	readme = strings.NewReplacer(ports...).Replace(readme)

	all := blocks(readme)
	var script strings.Builder
	script.WriteString("set -eu -o pipefail\n")
	for i, b := range all {
		if b.language == "sh" {
			fmt.Fprintf(&script, "echo; echo '@@ %d'\n%s", i, b.text)
		}
	}
	folder := t.TempDir()
	out, errors := shell(t, script.String(), folder, "APOSTILLE_LISTEN_PORT="+listen, "APOSTILLE_METRICS_PORT="+metrics)
	outputs := map[string]string{}
	for _, part := range strings.Split(out, "\n@@ ")[1:] {
		number, text, _ := strings.Cut(part, "\n")
		outputs[number] = text
	}
	compared := 0
	for i, b := range all[1:] {
		got, ran := outputs[fmt.Sprint(i)]
		if b.language != "text" || all[i].language != "sh" {
			continue
		}
		compared++
		if !ran || !textMatches(b.text, got) {
			t.Errorf("README.md line %d: shown\n%s\nbut it is\n%s", b.line, b.text, got)
		}
	}
	if compared < 6 || t.Failed() {
		t.Errorf("%d answers compared; standard error:\n%s\nthe broker's log:\n%s", compared, errors, logOf(folder))
	}
}

func logOf(folder string) string {
	b, err := os.ReadFile(filepath.Join(folder, "broker.log"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func freeQuietPort(t *testing.T) string {
	t.Helper()
	n, err := quietPort()
	if err != nil {
		t.Fatal(err)
	}
	return port(n)
}

// shell runs a script with the program on PATH, and ends everything that it started.
func shell(t *testing.T, script, folder string, env ...string) (stdout, stderr string) {
	t.Helper()
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "apostille"), ".").CombinedOutput(); err != nil {
		t.Fatalf("the program does not build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = folder
	cmd.Env = append([]string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + folder, "LC_ALL=C.UTF-8"}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that what runs in the background ends with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	err := cmd.Start()
	if err == nil {
		defer func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }()
		err = cmd.Wait()
	}
	if err != nil {
		t.Fatalf("%v\n%s\n%s\nthe broker's log:\n%s", err, out.String(), errors.String(), logOf(folder))
	}
	return out.String(), errors.String()
}

func TestShownAnswersAreCompared(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, shown, got string
		want             bool
	}{
		{"the same", "fine\n", "fine\n", true},
		{"something else", "fine\n", "broken\n", false},
		{"more than is shown", "fine\n", "fine\nand more\n", false},
		{"a gap that holds text", `{"a":"…"}`, `{"a":"b"}`, true},
		{"a gap that is empty", `{"a":"…"}`, `{"a":""}`, false},
		{"a gap does not reach over lines", "a…\n", "a\nb\n", false},
		{"dots are dots", "a.b", "axb", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if textMatches(tt.shown, tt.got) != tt.want {
				t.Errorf("want %v", tt.want)
			}
		})
	}
}
