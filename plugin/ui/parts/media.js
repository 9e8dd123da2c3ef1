// Links and pictures of addresses that others wrote, and the faces that the sidecar cuts out.
import { h, Icon, useEffect, useRef, useState } from "../host.js";
import { useSidecar } from "../resources.js";
import { pictureAddress, webAddress } from "../safe.js";
import { t } from "../texts.js";

/** A link that opens in a new tab; mere text where the address is none of the web. */
export function OutsideLink({ href, children }) {
  const address = webAddress(href);
  if (address === null) return h("span", null, children ?? href);
  return h(
    "a",
    { href: address, target: "_blank", rel: "noopener noreferrer", referrerPolicy: "no-referrer" },
    children ?? href,
    " ",
    h(Icon, { name: "faExternalLinkAlt" }),
    h("span", { className: "sr-only" }, t("common.opensElsewhere"))
  );
}

/** A picture, or a placeholder where there is none or it cannot be shown. */
export function Picture({ src, alt = "", className = "", ...rest }) {
  const address = pictureAddress(src);
  const [failed, setFailed] = useState(null);
  const classes = `stash-sense-picture ${className}`;
  if (address === null || failed === address) {
    return h(
      "span",
      { className: `${classes} stash-sense-no-picture`, role: "img", "aria-label": alt || t("common.noPicture") },
      h(Icon, { name: "faUser" })
    );
  }
  return h("img", {
    ...rest,
    src: address,
    alt,
    className: classes,
    loading: "lazy",
    referrerPolicy: "no-referrer",
    onError: () => setFailed(address),
  });
}

/**
 * A face that the sidecar cuts out when it is scrolled to: `mode` answers a data_url,
 * which `onPicture` is told, too.
 */
export function FaceCrop({ mode, args, alt = "", className = "", onPicture }) {
  const place = useRef(null);
  const [isNear, setIsNear] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && setIsNear(true),
      { rootMargin: "200px" }
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  const { data, error, isLoading } = useSidecar(mode, args, { isWanted: isNear });
  useEffect(() => {
    if (data?.data_url) onPicture?.(data.data_url);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- told once of each picture
  }, [data]);
  return h(
    "span",
    { ref: place, className: `stash-sense-face ${className}`, title: error?.message, "aria-busy": isLoading },
    data === undefined && !error
      ? h("span", { className: "stash-sense-picture stash-sense-loading" })
      : h(Picture, { src: data?.data_url, alt })
  );
}
