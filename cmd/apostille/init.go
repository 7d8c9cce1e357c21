package main

import (
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"apostille/broker/keyring"

	"github.com/spf13/cobra"
)

//go:embed starter
var starter embed.FS

// starterFiles are the files in it that init fills in and writes.
var starterFiles = []string{"apostille.toml", "trust.d/head-office.toml"}

func (a *app) initCommand() *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a commented configuration, a key file and an example of a trust",
		Long: `Writes apostille.toml, apostille.key and trust.d/head-office.toml into a folder. Nothing that exists is overwritten.
The example client's secret is printed once; only its SHA-256 is kept.`,
		Example: `  apostille init
  apostille init --dir /etc/apostille
  apostille init --listen-port 8600 --metrics-port 8601`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.init(o) },
	}
	cmd.Flags().StringVar(&o.dir, "dir", ".", "folder to write into")
	cmd.Flags().Uint16Var(&o.port, "listen-port", 8080, "port of the broker, on loopback")
	cmd.Flags().Uint16Var(&o.metricsPort, "metrics-port", 9090, "port of /metrics, /healthz and /readyz, on loopback")
	return cmd
}

type initOptions struct {
	dir               string
	port, metricsPort uint16
}

// made is what init answers.
type made struct {
	Files        []string `json:"files"`
	Client       string   `json:"client"`
	ClientSecret string   `json:"client_secret"`
}

func (a *app) init(o initOptions) error {
	if err := os.MkdirAll(filepath.Join(o.dir, "trust.d"), 0o755); err != nil {
		return err
	}
	key := filepath.Join(o.dir, "apostille.key")
	if err := absent(o.dir, slices.Concat(starterFiles, []string{"apostille.key"})); err != nil {
		return err
	}
	secret, hash := newSecret()
	fill := strings.NewReplacer("@SECRET_SHA256@", hash, ":8080", fmt.Sprintf(":%d", o.port), ":9090", fmt.Sprintf(":%d", o.metricsPort))
	m := made{Client: "warehouse-portal", ClientSecret: secret}
	for _, name := range starterFiles {
		text, err := starter.ReadFile("starter/" + name)
		if err != nil {
			return err
		}
		path := filepath.Join(o.dir, name)
		if err := writeNew(path, fill.Replace(string(text)), 0o644); err != nil {
			return err
		}
		m.Files = append(m.Files, path)
	}
	if err := keyring.NewKEKFile(key); err != nil {
		return existing(key, err)
	}
	m.Files = append(m.Files, key)
	return a.print(m, func(w io.Writer) {
		for _, f := range m.Files {
			fmt.Fprintln(w, "wrote", f)
		}
		fmt.Fprintf(w, "\nsecret of client %s, shown once: %s\n", m.Client, m.ClientSecret)
		fmt.Fprintln(w, "\nnext: apostille check    who may get what\n      apostille serve    start the broker")
	})
}

// absent looks for all files before the first is written, so that nothing is left half made.
func absent(dir string, names []string) error {
	for _, name := range names {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err == nil {
			return existing(path, os.ErrExist)
		}
	}
	return nil
}

// writeNew writes a file that must not exist yet.
func writeNew(path, text string, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return existing(path, err)
	}
	_, werr := f.WriteString(text)
	return errors.Join(werr, f.Close())
}

func existing(path string, err error) error {
	if errors.Is(err, os.ErrExist) {
		return usage("%s exists and is not overwritten: move it away, or give another --dir", path)
	}
	return err
}

// secretLetters has 62 characters; 43 of them are 256 bits.
const secretLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// newSecret makes a client secret (256 bits in letters and digits, so that no client encodes it wrongly) and its SHA-256.
func newSecret() (secret, hash string) {
	var out []byte
	var one [1]byte
	for len(out) < 43 {
		_, _ = rand.Read(one[:]) // never fails: crypto/rand aborts the program instead
		if int(one[0]) < 4*len(secretLetters) {
			out = append(out, secretLetters[int(one[0])%len(secretLetters)]) // without the remainder, each is as likely
		}
	}
	sum := sha256.Sum256(out)
	return string(out), hex.EncodeToString(sum[:])
}
