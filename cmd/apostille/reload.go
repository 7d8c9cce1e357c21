package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"apostille/broker/config"

	"github.com/fsnotify/fsnotify"
)

// settle is how long files must stand unchanged before they are loaded: an editor or a config map writes in several steps.
const settle = time.Second

// watch reloads on SIGHUP at once, and when files have settled. Folders are watched, not files: what replaces a file by a
// rename or a symbolic link is seen only there.
func (s *server) watch(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		s.log.Warn("files are not watched; use SIGHUP to reload", "error", err)
		watcher = &fsnotify.Watcher{} // its nil channels never fire
	} else {
		defer func() { _ = watcher.Close() }()
		s.watchFolders(watcher)
	}
	changed := time.NewTimer(settle)
	changed.Stop()
	defer changed.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			if err := s.audit.Reopen(); err != nil {
				s.log.Error("reopening the audit file", "error", err)
			}
			s.reload(watcher)
		case e := <-watcher.Events:
			if s.concerns(e.Name) {
				changed.Reset(settle)
			}
		case err := <-watcher.Errors:
			s.log.Warn("watching files", "error", err)
		case <-changed.C:
			s.reload(watcher)
		}
	}
}

// concerns says whether a change of this path may change the configuration: a file that was read, a TOML file, a folder of either
// that comes, goes or is swapped whole, or a symbolic link by which a config map does that ("..data"). What the server itself
// writes beside them does not.
func (s *server) concerns(path string) bool {
	return filepath.Ext(path) == ".toml" || strings.HasPrefix(filepath.Base(path), "..") ||
		s.folders[path] || slices.Contains(s.config.Load().Files, path)
}

// foldersOf lists the folders that the configuration was, or would be, read from.
func foldersOf(cfg *config.Config) map[string]bool {
	folders := map[string]bool{cfg.Dir: true}
	for _, f := range cfg.Folders {
		folders[f] = true
	}
	for _, f := range cfg.Files {
		folders[filepath.Dir(f)] = true
	}
	return folders
}

// watchFolders watches them. One that is watched already may be another by now, of the same name, so it is added again.
func (s *server) watchFolders(w *fsnotify.Watcher) {
	if w.Events == nil {
		return
	}
	s.folders = foldersOf(s.config.Load())
	for folder := range s.folders {
		if err := w.Add(folder); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.log.Warn("folder is not watched", "folder", folder, "error", err)
		}
	}
}

// reload loads the files again: a new policy or none. Folders are watched before they are read, so that what changes meanwhile
// is seen.
func (s *server) reload(w *fsnotify.Watcher) {
	s.watchFolders(w)
	cfg, err := s.loadAgain()
	if err == nil {
		err = s.restartNeeded(cfg)
	}
	if err == nil {
		err = s.loadCertificate(cfg)
	}
	s.metrics.Reloaded(err)
	reason := ""
	if err != nil {
		reason = "the files on disk are not served: " + err.Error()
		s.log.Error("configuration not reloaded; the old one serves on", "error", err)
	} else {
		s.apply(cfg)
		s.watchFolders(w)
		s.log.Info("configuration reloaded", "trusts", len(cfg.Policy.Trusts), "clients", len(cfg.Policy.Clients), "apis", len(cfg.Policy.APIs))
	}
	s.reloadError.Store(&reason)
}

// loadAgain loads the files; a panic in a parser is a fault of the file, not the end of the server.
func (s *server) loadAgain() (cfg *config.Config, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic of type %T while the files were read", p)
		}
	}()
	return s.app.load()
}

// restartNeeded refuses changes that a running server cannot take up: half a change would be served otherwise.
func (s *server) restartNeeded(next *config.Config) error {
	now := s.config.Load()
	for _, fixed := range []struct {
		name      string
		now, next any
	}{
		{"issuer", now.Issuer, next.Issuer},
		{"dev", now.Dev, next.Dev},
		{"key_file", now.KeyFile, next.KeyFile},
		{"[listener]", now.Listener, next.Listener},
		{"[metrics]", now.Metrics, next.Metrics},
		{"[outbound]", now.Outbound, next.Outbound},
		{"[store]", now.Store, next.Store},
		{"[audit]", now.Audit, next.Audit},
		{"[log]", now.Log, next.Log},
		{"limits.concurrent", now.Limits.Concurrent, next.Limits.Concurrent},
	} {
		if !reflect.DeepEqual(fixed.now, fixed.next) {
			return fmt.Errorf("%s changed, which a running server cannot take up: restart it", fixed.name)
		}
	}
	return nil
}
