// Command vidimus is the platform: it serves companies and users, and has the operator's
// commands. It wires the parts together and decides nothing itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"vidimus/internal/config"
)

// version is set when the program is built.
var version = "unknown"

// cli is every command and flag.
type cli struct {
	Config configFile `env:"VIDIMUS_CONFIG" placeholder:"FILE" help:"YAML file with the same keys as the flags; a flag beats a variable, a variable beats the file."`

	Serve       serveCommand       `cmd:"" help:"Start the platform."`
	Company     companyCommand     `cmd:"" help:"Create, change, show and delete companies; also beside a running server."`
	Webhook     webhookCommand     `cmd:"" help:"The log of webhook deliveries: list them, make one again."`
	Deliveries  deliveriesCommand  `cmd:"" help:"Who got what, when, by which way: webhooks, mails, and what companies fetched."`
	Audit       auditCommand       `cmd:"" help:"The audit trail: prove it, export its checkpoints, print what happened."`
	Certificate certificateCommand `cmd:"" help:"The certificates that the built-in trust service has issued: list them, revoke one."`
	Retention   retentionCommand   `cmd:"" help:"What is due to be deleted, and what was deleted."`
	Verify      verifyCommand      `cmd:"" help:"Judge the signatures of PDFs; exit 0 if all are valid, 1 if not, 2 if there is nothing to judge."`
	Doctor      doctorCommand      `cmd:"" help:"Say what is missing or misconfigured."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

// configFile is the file of --config. Its values come after the flags' variables.
type configFile string

// BeforeResolve reads the file before other flags take their values from it. Its own value
// is known to the parser by then, but not yet set.
func (configFile) BeforeResolve(k *kong.Context, trace *kong.Path) error {
	c, _ := k.FlagValue(trace.Flag).(configFile)
	if c == "" {
		return nil
	}
	values, err := config.Load(string(c), append(config.Names(), "log-format"))
	if err != nil {
		return err
	}
	k.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if _, set := os.LookupEnv(name); set {
				return nil, nil
			}
		}
		if v, ok := values[flag.Name]; ok {
			return v, nil
		}
		return nil, nil
	}))
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run carries one command out and returns the exit code.
func run(ctx context.Context, args []string) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("vidimus"), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Description("A self-hosted platform that identifies people and has them sign contracts."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "vidimus:", err)
		return 2
	}
	k, err := parser.Parse(args)
	if err != nil {
		var usage *kong.ParseError
		if errors.As(err, &usage) && usage.Context != nil && len(args) == 0 {
			_ = usage.Context.PrintUsage(false)
			return 2
		}
		fmt.Fprintln(os.Stderr, "vidimus:", err)
		return 2
	}
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "vidimus:", err)
		if own := (exit{}); errors.As(err, &own) {
			return own.code
		}
		return 1
	}
	return 0
}

type versionCommand struct{}

// Run prints the version and what it was built with.
func (versionCommand) Run() error { //nolint:unparam // kong wants it
	build := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		build = " (" + info.GoVersion + ")"
	}
	fmt.Println("vidimus " + version + build)
	return nil
}
