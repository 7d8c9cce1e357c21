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
	"strings"

	"apostille/broker/keyring"

	"github.com/spf13/cobra"
)

//go:embed starter
var starter embed.FS

func (a *app) initCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a commented configuration, a key file and an example of a trust",
		Long: `Writes apostille.toml, apostille.key and trust.d/head-office.toml into a folder. Nothing that exists is overwritten.
The example client's secret is printed once; only its SHA-256 is kept.`,
		Example: `  apostille init
  apostille init --dir /etc/apostille`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.init(dir) },
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "folder to write into")
	return cmd
}

// made is what init answers.
type made struct {
	Files        []string `json:"files"`
	Client       string   `json:"client"`
	ClientSecret string   `json:"client_secret"`
}

func (a *app) init(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "trust.d"), 0o755); err != nil {
		return err
	}
	secret, hash := newSecret()
	m := made{Client: "warehouse-portal", ClientSecret: secret}
	for _, name := range []string{"apostille.toml", "trust.d/head-office.toml"} {
		text, err := starter.ReadFile("starter/" + name)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		if err := writeNew(path, strings.ReplaceAll(string(text), "@SECRET_SHA256@", hash)); err != nil {
			return err
		}
		m.Files = append(m.Files, path)
	}
	key := filepath.Join(dir, "apostille.key")
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

// writeNew writes a file that must not exist yet.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return existing(path, err)
	}
	_, werr := f.WriteString(text)
	return errors.Join(werr, f.Close())
}

func existing(path string, err error) error {
	if errors.Is(err, os.ErrExist) {
		return usage("%s exists; init overwrites nothing: move it away, or give another --dir", path)
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
