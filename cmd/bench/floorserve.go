package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"
)

// runFloor serves the floor at POST /oauth2/token, and fixed bytes at GET /oauth2/jwks, until ctx ends. Like the broker
// it says in one JSON line on stderr where it listens.
func runFloor(ctx context.Context, args []string, _, stderr io.Writer) error {
	flags := flag.NewFlagSet("floor", flag.ContinueOnError)
	flags.SetOutput(stderr)
	address := flags.String("addr", "127.0.0.1:0", "loopback address to listen on")
	issuer := flags.String("issuer", "", "issuer of the subject tokens")
	audience := flags.String("audience", "", "audience of the subject tokens")
	client := flags.String("client", "", "client id")
	secret := flags.String("secret-sha256", "", "SHA-256 of the client secret, 64 hex digits")
	jwks := flags.String("jwks", "", "file with the issuer's JWK Set (RSA)")
	fixed := flags.String("fixed", "", "file whose bytes GET /oauth2/jwks answers; default: the -jwks file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	f := &floor{issuer: *issuer, audience: *audience, client: *client, now: time.Now}
	if n, err := hex.Decode(f.secret[:], []byte(*secret)); err != nil || n != len(f.secret) {
		return errors.New("-secret-sha256 wants 64 hex digits")
	}
	set, err := os.ReadFile(*jwks)
	if err != nil {
		return err
	}
	if f.keys, err = parseRSAKeys(set); err != nil {
		return fmt.Errorf("%s: %w", *jwks, err)
	}
	if f.signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	body := set
	if *fixed != "" {
		if body, err = os.ReadFile(*fixed); err != nil {
			return err
		}
	}
	return serveFloor(ctx, *address, floorHandler(f, body), stderr)
}

func floorHandler(f *floor, fixed []byte) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /oauth2/token", f)
	mux.HandleFunc("GET /oauth2/jwks", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(fixed)
	})
	return mux
}

func serveFloor(ctx context.Context, address string, h http.Handler, stderr io.Writer) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	slog.New(slog.NewJSONHandler(stderr, nil)).Info("listening", "addr", listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
