package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"apostille/broker/config"

	"github.com/fsnotify/fsnotify"
)

// A folder that was swapped whole (mv trust.d.new trust.d, as deployment tools do), or made after the start, used to go unnoticed, and so did
// every later change in it: a trust that was disabled there stayed live until a SIGHUP.
func TestA69_AFolderThatIsSwappedWholeIsReloaded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	policy := filepath.Join(dir, "trust.d")
	s := &server{log: slog.New(slog.DiscardHandler)}
	s.config.Store(&config.Config{Dir: dir, Folders: []string{policy}, Files: []string{filepath.Join(dir, "apostille.toml")}})
	w, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	s.watchFolders(w)
	for _, step := range []struct {
		name   string
		change func() error
		want   bool
	}{
		{"the folder is made", func() error { return os.Mkdir(policy, 0o700) }, true},
		{"a file is written into it", func() error { return os.WriteFile(filepath.Join(policy, "a.toml"), nil, 0o600) }, true},
		{"it is moved away", func() error { return os.Rename(policy, policy+".old") }, true},
		{"another takes its place", func() error { return os.Rename(policy+".old", policy) }, true},
		{"a file in that one changes", func() error { return os.WriteFile(filepath.Join(policy, "a.toml"), []byte("#"), 0o600) }, true},
		{"the audit file is written", func() error { return os.WriteFile(filepath.Join(dir, "audit.jsonl"), nil, 0o600) }, false},
		{"a folder beside is made", func() error { return os.Mkdir(filepath.Join(dir, "other"), 0o700) }, false},
	} {
		if err := step.change(); err != nil {
			t.Fatal(err)
		}
		if got := concerned(s, w, step.want); got != step.want {
			t.Errorf("%s: reloaded %v, want %v", step.name, got, step.want)
		}
		s.watchFolders(w) // as every reload does
	}
}

// concerned drains the events of a step and says whether any asks for a reload.
func concerned(s *server, w *fsnotify.Watcher, expected bool) bool {
	patience := 200 * time.Millisecond
	if expected {
		patience = 5 * time.Second
	}
	found := false
	for {
		select {
		case e := <-w.Events:
			if s.concerns(e.Name) {
				found, patience = true, 50*time.Millisecond
			}
		case <-time.After(patience):
			return found
		}
	}
}
