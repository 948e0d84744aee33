package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
)

// postgres is a server of our own, with PostgreSQL's usual durability.
type postgres struct {
	address string
	cmd     *exec.Cmd
	in      io.WriteCloser // it lives until this ends
}

// startPostgres runs tools/postgres.sh; the working directory is the repository's root.
func startPostgres() (*postgres, error) {
	cmd := exec.Command("tools/postgres.sh", "serve")
	cmd.Env = append(cmd.Environ(), "VIDIMUS_TEST_FSYNC=on")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is not for it
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = in.Close()
		_ = cmd.Wait()
		return nil, fmt.Errorf("tools/postgres.sh: %s", strings.TrimSpace(complaints.String()))
	}
	return &postgres{address: strings.TrimSpace(address), cmd: cmd, in: in}, nil
}

func (p *postgres) stop() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// database makes a fresh, empty one and returns its address.
func (p *postgres) database(ctx context.Context, name string) (string, error) {
	db, err := sql.Open("pgx", p.address)
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, "CREATE DATABASE bench_"+name); err != nil {
		return "", err
	}
	u, err := url.Parse(p.address)
	if err != nil {
		return "", err
	}
	u.Path = "/bench_" + name
	return u.String(), nil
}
