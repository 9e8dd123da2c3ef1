/** Toasts, settings and the loading of components, as plugins may use them. */
import React, { createContext, useContext, useEffect, useMemo, useState } from "react";
import { Toast } from "react-bootstrap";
import { useConfiguration, useConfigurePlugin } from "./client";

const ToastContext = createContext(null);
const SettingsContext = createContext(null);
const TOAST_MILLISECONDS = 5000;

function textOf(error) {
  return error instanceof Error ? error.message : String(error?.message ?? error);
}

export function ToastProvider({ children }) {
  const [toasts, setToasts] = useState([]);
  const shown = useMemo(() => {
    const toast = (options) =>
      setToasts((now) => [...now, { variant: "success", id: Math.random(), ...options }]);
    return {
      toast,
      success: (content) => toast({ content }),
      error: (error) => toast({ content: textOf(error), variant: "danger" }),
    };
  }, []);
  return (
    <ToastContext.Provider value={shown}>
      {children}
      <div className="toast-container" aria-live="polite">
        {toasts.map((toast) => (
          <Toast
            key={toast.id}
            autohide
            className={toast.variant}
            delay={toast.delay ?? TOAST_MILLISECONDS}
            onClose={() => setToasts((now) => now.filter((t) => t.id !== toast.id))}
          >
            <Toast.Header>
              <span className="mr-auto">{toast.header ?? toast.content}</span>
            </Toast.Header>
          </Toast>
        ))}
      </div>
    </ToastContext.Provider>
  );
}

export const useToast = () => useContext(ToastContext);

export function SettingsProvider({ children }) {
  const { data, loading, error, refetch } = useConfiguration();
  const [configurePlugin] = useConfigurePlugin();
  // What is being saved counts at once: the next change is made to that.
  const [saving, setSaving] = useState({});
  const value = useMemo(() => {
    const { general, plugins } = data?.configuration ?? {};
    return {
      loading,
      error,
      general: general ?? {},
      plugins: { ...plugins, ...saving },
      apiKey: general?.apiKey ?? "",
      refetch,
      savePluginSettings: async (pluginId, input) => {
        setSaving((others) => ({ ...others, [pluginId]: input }));
        try {
          await configurePlugin({ variables: { plugin_id: pluginId, input } });
          await refetch();
        } finally {
          // Unless another save has begun meanwhile, the server's word holds again.
          setSaving(({ [pluginId]: mine, ...others }) =>
            mine === input ? others : { ...others, [pluginId]: mine }
          );
        }
      },
    };
  }, [configurePlugin, data, error, loading, refetch, saving]);
  return <SettingsContext.Provider value={value}>{children}</SettingsContext.Provider>;
}

export const useSettings = () => useContext(SettingsContext);

/** Loads what the functions import. */
export async function loadComponents(loads) {
  await Promise.all(loads.map((load) => load()));
}

/** Loads what the functions import; returns whether that is still going on. */
export function useLoadComponents(loads) {
  const [isLoading, setIsLoading] = useState(true);
  useEffect(() => {
    let isGone = false;
    loadComponents(loads).finally(() => isGone || setIsLoading(false));
    return () => {
      isGone = true;
    };
    // The functions are the same ones at each call.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  return isLoading;
}
