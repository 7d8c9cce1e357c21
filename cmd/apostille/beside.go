package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"apostille/broker/config"
	"apostille/broker/keyring"
	"apostille/broker/store"
	"apostille/broker/store/sqlite"
)

// openBeside opens the store that a server may have open as well, to write it; the server follows within 2 s. One that is not
// there is made, as the server would make it.
func (a *app) openBeside(ctx context.Context, cfg *config.Config) (store.Store, error) {
	if cfg.Store.Path == config.MemoryStore {
		return nil, usage("the store is in the server's memory (store.path = %q), where no command reaches it: name a file", config.MemoryStore)
	}
	st, err := sqlite.Open(ctx, cfg.Store.Path, sqlite.Options{Now: a.now})
	if err != nil {
		return nil, storeError(err)
	}
	return st, nil
}

// withStore runs f on the store of the configuration.
func (a *app) withStore(ctx context.Context, f func(*config.Config, store.Store) error) error {
	cfg, err := a.loaded()
	if err != nil {
		return err
	}
	st, err := a.openBeside(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(f(cfg, st), st.Close())
}

// withRing runs f on the keys of one purpose in the store.
func (a *app) withRing(ctx context.Context, p keyring.Purpose, f func(*keyring.Ring) error) error {
	return a.withStore(ctx, func(cfg *config.Config, st store.Store) error {
		kek, err := keyring.ReadKEKFile(cfg.KeyFile)
		if err != nil {
			return &exit{exitUsage, err}
		}
		ring, err := keyring.Open(ctx, keyring.Config{Purpose: p, Name: hostOf(cfg.Issuer), Store: st, KEK: kek, Now: a.now, Log: discard})
		if err != nil {
			return err
		}
		return f(ring)
	})
}

// storeReader is what commands that only look may do with a store.
type storeReader interface {
	LoadKeySet(ctx context.Context, source string) (store.KeySet, bool, error)
	ListKeys(ctx context.Context) ([]store.Key, error)
	ListSubjects(ctx context.Context) ([]store.SubjectMark, error)
	Close() error
}

// errNoStore says that there is nothing to look at.
var errNoStore = errors.New("there is no store yet: the server makes it at its first start")

// openToLook opens the store for reading: it is neither made nor migrated. errNoStore is in the error if there is none.
func (a *app) openToLook(ctx context.Context, cfg *config.Config) (storeReader, error) {
	if cfg.Store.Path == config.MemoryStore {
		return nil, fmt.Errorf("%w: it is in the server's memory", errNoStore)
	}
	report, err := sqlite.Status(ctx, cfg.Store.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w (%s)", errNoStore, cfg.Store.Path)
	case err != nil:
		return nil, storeError(err)
	case report.Current != report.Newest:
		return nil, fmt.Errorf("the store %s has schema %d and this program reads %d: `apostille store migrate`, or use the program that made it",
			cfg.Store.Path, report.Current, report.Newest)
	}
	st, err := sqlite.Open(ctx, cfg.Store.Path, sqlite.Options{Now: a.now})
	if err != nil {
		return nil, storeError(err)
	}
	return st, nil
}

// storeError adds the way out to what commonly goes wrong.
func storeError(err error) error {
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w; run this as the user that the server runs as", err)
	}
	return err
}

// hostOf names the broker in its certificates.
func hostOf(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil { // it was compiled
		return issuer
	}
	return u.Host
}
