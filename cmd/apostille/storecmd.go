package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"apostille/broker/config"
	"apostille/broker/store/sqlite"

	"github.com/spf13/cobra"
)

func (a *app) storeCommand() *cobra.Command {
	return noun("store", "Check, migrate and describe the store", "  apostille store check\n  apostille store migrate\n  apostille store status",
		a.storeCheckCommand(), a.storeMigrateCommand(), a.storeStatusCommand())
}

// storeView is what is known of the store's file.
type storeView struct {
	Path      string   `json:"path"`
	OK        bool     `json:"ok"`
	Schema    int64    `json:"schema"`        // of the file
	Newest    int64    `json:"newest_schema"` // that this program knows
	Integrity []string `json:"integrity"`     // what is wrong with the file; empty = sound
	Bytes     int64    `json:"bytes"`         // with its write-ahead log
	Keys      int      `json:"signing_keys"`
	Subjects  int      `json:"marked_subjects"`
}

func (a *app) storeCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "check",
		Short:   "Check the store's file: schema and integrity",
		Long:    "Looks at the store's file without changing it. Exit 1 if it is damaged or of another schema.",
		Example: "  apostille store check\n  apostille store check --output json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := a.describeStore(cmd.Context())
			if err != nil {
				return err
			}
			err = a.print(v, func(w io.Writer) { v.writeCheck(w) })
			if !v.OK {
				return errors.Join(err, &exit{exitFailure, nil})
			}
			return err
		},
	}
}

func (v storeView) writeCheck(w io.Writer) {
	for _, line := range v.Integrity {
		fmt.Fprintln(w, "damaged:", printable(line))
	}
	switch {
	case len(v.Integrity) > 0:
		fmt.Fprintf(w, "%s is damaged: stop the server and restore it from a backup\n", v.Path)
	case v.Schema < v.Newest:
		fmt.Fprintf(w, "%s is sound, but has schema %d of %d: `apostille store migrate`, or the next start, brings it up\n", v.Path, v.Schema, v.Newest)
	case v.Schema > v.Newest:
		fmt.Fprintf(w, "%s has schema %d, and this program knows %d: use the newer program that made it\n", v.Path, v.Schema, v.Newest)
	default:
		fmt.Fprintf(w, "%s is sound, schema %d\n", v.Path, v.Schema)
	}
}

func (a *app) storeStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Say what is in the store",
		Example: "  apostille store status\n  apostille store status --output json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := a.describeStore(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) {
				table(w, [][]string{
					{"file", v.Path}, {"size", fmt.Sprintf("%d bytes", v.Bytes)}, {"schema", fmt.Sprintf("%d of %d", v.Schema, v.Newest)},
					{"signing keys", fmt.Sprint(v.Keys)}, {"marked subjects", fmt.Sprint(v.Subjects)},
				})
			})
		},
	}
}

// storePath is the file; a store in memory has none.
func storePath(cfg *config.Config) (string, error) {
	if cfg.Store.Path == config.MemoryStore {
		return "", usage("the store is in the server's memory (store.path = %q): there is no file to look at", config.MemoryStore)
	}
	return cfg.Store.Path, nil
}

func (a *app) describeStore(ctx context.Context) (storeView, error) {
	cfg, err := a.loaded()
	if err != nil {
		return storeView{}, err
	}
	path, err := storePath(cfg)
	if err != nil {
		return storeView{}, err
	}
	report, err := sqlite.Status(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return storeView{}, fmt.Errorf("%w (%s)", errNoStore, path)
	case err != nil:
		return storeView{}, storeError(err)
	}
	v := storeView{Path: path, Schema: report.Current, Newest: report.Newest, Integrity: append([]string{}, report.Integrity...)}
	v.OK = len(v.Integrity) == 0 && v.Schema == v.Newest
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(path + suffix); err == nil {
			v.Bytes += info.Size()
		}
	}
	if v.OK {
		err = a.countIn(ctx, cfg, &v)
	}
	return v, err
}

func (a *app) countIn(ctx context.Context, cfg *config.Config, v *storeView) error {
	st, err := a.openToLook(ctx, cfg)
	if err != nil {
		return err
	}
	keys, errKeys := st.ListKeys(ctx)
	marks, errMarks := st.ListSubjects(ctx)
	v.Keys, v.Subjects = len(keys), len(marks)
	return errors.Join(errKeys, errMarks, st.Close())
}

// migrated is what store migrate answers.
type migrated struct {
	Path string `json:"path"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
}

func (a *app) storeMigrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the store to the newest schema",
		Long: `Makes the store if there is none, and brings it to the newest schema this program knows. There is no way back: keep a copy. The server
does the same when it starts.`,
		Example: "  cp apostille.db apostille.db.before && apostille store migrate",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.storeMigrate(cmd.Context()) },
	}
}

func (a *app) storeMigrate(ctx context.Context) error {
	cfg, err := a.loaded()
	if err != nil {
		return err
	}
	path, err := storePath(cfg)
	if err != nil {
		return err
	}
	before, err := sqlite.Status(ctx, path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return storeError(err)
	}
	st, err := a.openBeside(ctx, cfg)
	if err != nil {
		return err
	}
	if err := st.Close(); err != nil {
		return err
	}
	after, err := sqlite.Status(ctx, path)
	if err != nil {
		return storeError(err)
	}
	m := migrated{path, before.Current, after.Current}
	return a.print(m, func(w io.Writer) {
		if m.From == m.To {
			fmt.Fprintf(w, "%s is at schema %d already\n", m.Path, m.To)
			return
		}
		fmt.Fprintf(w, "%s: from schema %d to %d\n", m.Path, m.From, m.To)
	})
}
